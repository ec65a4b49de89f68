import type { FastifyBaseLogger } from 'fastify'
import pRetry from 'p-retry'
import { forgoSetting } from './client.ts'
import { isPostgresUnavailable } from './faults.ts'
import { migrate } from './migrate.ts'
import { refuseTransactionPooling } from './pooling.ts'
import { postgresTarget } from './target.ts'

type StartOptions = {
  url: string
  schema: string
  migrations: URL
  timeoutMs: number
  log: FastifyBaseLogger
}

/** Errors that do not pass by waiting: a wrong password, no such role or database. */
const WRONG_LOGIN = ['28000', '28P01', '3D000']

/**
 * Waits for Postgres, refuses a pooler that loses locks and LISTEN, and migrates. The error of a failed start names
 * host, role, database and reason.
 */
export async function startPostgres ({ url, schema, migrations, timeoutMs, log }: StartOptions): Promise<void> {
  const { ignored } = postgresTarget(url)
  if (ignored.length > 0) log.info({ parameters: ignored }, 'postgres: ignored parameters of DATABASE_URL')
  try {
    await pRetry(() => prepare(), {
      retries: Infinity,
      maxRetryTime: timeoutMs,
      minTimeout: 250,
      maxTimeout: 2000,
      shouldRetry: ({ error }) => isPostgresUnavailable(error) && !WRONG_LOGIN.includes(codeOf(error)),
      onFailedAttempt: ({ error }) => log.warn({ err: error }, 'postgres: not ready')
    })
  } catch (err) {
    throw explained(err as Error, url)
  }

  async function prepare () {
    await checkPooler()
    await migrate(url, schema, migrations)
  }

  /** A pooler that refuses several settings names one at a time. */
  async function checkPooler (): Promise<void> {
    try {
      await refuseTransactionPooling(url)
    } catch (err) {
      const setting = refusedSetting(err)
      if (setting === undefined || !forgoSetting(url, setting)) throw err
      log.warn({ setting }, `postgres: the pooler refuses a setting: alter role … set ${setting} = …`)
      await checkPooler()
    }
  }
}

/** The setting that PgBouncer refuses because it is not in its `ignore_startup_parameters`. */
function refusedSetting (err: unknown): string | undefined {
  if (codeOf(err) !== '08P01') return undefined
  const [, inOptions, name] = /unsupported startup parameter( in options)?: "?(\w+)/.exec((err as Error).message) ?? []
  return inOptions === undefined ? name : 'options'
}

function explained (err: Error, url: string): Error {
  if (err.name === 'ConfigError') return err
  const { host, port, path, user, database } = postgresTarget(url).options
  const places = path ?? [host].flat().map((name, i) => `${name}:${[port].flat()[i] as number}`).join(', ')
  const reason = reasonOf(err)
  // The log adds the message of a cause to that of the error.
  return new Error(
    `Postgres at ${places}, database "${database ?? ''}", role "${user ?? ''}": ${reason}`,
    reason === err.message ? {} : { cause: err }
  )
}

function reasonOf (err: Error): string {
  const cause = err.cause instanceof Error ? err.cause : err
  if (codeOf(cause) === '42501') {
    return `${cause.message}. The role needs CREATE on the database, or to own the schemas jobs and webhooks`
  }
  if (/SSL|EPROTO|CERT|SIGNATURE/.test(codeOf(cause)) || cause.message.includes('TLS')) {
    return `TLS failed (${cause.message}). Check sslmode and sslrootcert in DATABASE_URL`
  }
  return cause.message || codeOf(cause)
}

function codeOf (err: unknown): string {
  const { code, cause } = err as { code?: unknown, cause?: unknown }
  return typeof code === 'string' ? code : cause instanceof Error ? codeOf(cause) : ''
}

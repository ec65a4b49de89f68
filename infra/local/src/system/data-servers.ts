import { connect, isIP } from 'node:net'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'
import { redisUrl } from '@tidings/service-kit'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'

const PROBE_TIMEOUT_MS = 1_000
const DATABASE = 'tidings'
const ROLE = 'tidings'
/** Owns the embedded cluster, so that the role of the services may have any name and change its password. */
const OWNER = 'tidings_owner'

/** A data server of the system: an existing one, or one for the system to start. */
export interface DataServer {
  url: string
  embedded: { port: number, start: () => Promise<ServerProcess> } | undefined
}

interface DataServerOptions {
  env: NodeJS.ProcessEnv
  folder: string
  ports: Ports
  secrets: Secrets
  log: (name: string) => string
}

/**
 * The Redis that REDIS_URL, or REDIS_HOST and REDIS_PORT, name, if it is on another machine or something listens there;
 * else an embedded one, with the password of the URL, or with a generated one where nothing is set.
 */
export async function redisServer ({ env, folder, ports, secrets, log }: DataServerOptions): Promise<DataServer> {
  // A Cluster, Sentinels or a socket: never started here, and not URLs that Node can parse.
  if (env.REDIS_URL && /^(rediss?[+-]|unix:|redis[^,]*,)/.test(env.REDIS_URL)) {
    return { url: env.REDIS_URL, embedded: undefined }
  }
  const given = givenRedis(env)
  if (given !== undefined && !await canStartAt(given)) return { url: given.href, embedded: undefined }
  const url = given ?? new URL(`redis://:${secrets.REDIS_PASSWORD}@127.0.0.1:${ports.redis}`)
  const host = loopbackAddress(url)
  const port = Number(url.port || 6379)
  const password = decodeURIComponent(url.password)
  return {
    url: url.href,
    embedded: {
      port,
      start: () => startRedis({
        dir: join(folder, 'redis'),
        host,
        port,
        log: log('redis'),
        ...(password === '' ? {} : { password })
      })
    }
  }
}

/**
 * The Postgres of DATABASE_URL, by the same rule; `file:…`, as in docs/job-notifications.md, means the embedded one.
 */
export async function postgresServer ({ env, folder, ports, secrets, log }: DataServerOptions): Promise<DataServer> {
  const { DATABASE_URL } = env
  const hasSeveralHosts = DATABASE_URL && /^postgres[^?]*,/.test(DATABASE_URL)
  if (hasSeveralHosts) return { url: DATABASE_URL, embedded: undefined }
  const given = DATABASE_URL && !DATABASE_URL.startsWith('file:') ? parse('DATABASE_URL', DATABASE_URL) : undefined
  if (given !== undefined && !await canStartAt(given)) return { url: given.href, embedded: undefined }
  const url = given ??
    new URL(`postgres://${ROLE}:${secrets.POSTGRES_PASSWORD}@127.0.0.1:${ports.postgres}/${DATABASE}`)
  const port = Number(url.port || 5432)
  return {
    url: url.href,
    embedded: {
      port,
      start: () => startPostgres({
        dir: join(folder, 'postgres'),
        host: loopbackAddress(url),
        port,
        log: log('postgres'),
        user: OWNER,
        password: secrets.POSTGRES_PASSWORD,
        role: { user: decodeURIComponent(url.username) || ROLE, password: decodeURIComponent(url.password) },
        database: decodeURIComponent(url.pathname.slice(1)) || DATABASE
      })
    }
  }
}

function givenRedis (env: NodeJS.ProcessEnv): URL | undefined {
  if (env.REDIS_URL) return parse('REDIS_URL', env.REDIS_URL)
  if (!env.REDIS_HOST && !env.REDIS_PORT) return undefined
  return parse('REDIS_HOST', redisUrl({
    REDIS_HOST: env.REDIS_HOST || '127.0.0.1',
    REDIS_PORT: Number(env.REDIS_PORT || 6379),
    REDIS_USERNAME: env.REDIS_USERNAME ?? '',
    REDIS_PASSWORD: env.REDIS_PASSWORD ?? '',
    REDIS_TLS: env.REDIS_TLS === 'true',
    REDIS_CA_FILE: env.REDIS_CA_FILE ?? ''
  }))
}

function parse (name: string, text: string): URL {
  if (!URL.canParse(text)) throw new Error(`${name} is not a URL: ${text}`)
  return new URL(text)
}

/** A loopback address on which nothing listens. */
async function canStartAt (url: URL): Promise<boolean> {
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  const isPlain = url.protocol !== 'rediss:'
  return isLoopback && isPlain && !await listens(url)
}

async function listens (url: URL): Promise<boolean> {
  const port = Number(url.port || (url.protocol.startsWith('redis') ? 6379 : 5432))
  return await new Promise(resolve => {
    const socket = connect({ host: loopbackAddress(url), port })
    const done = (answer: boolean) => { socket.destroy(); resolve(answer) }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(true)) // it does not respond, but it exists
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

function loopbackAddress ({ hostname }: URL): string {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? '127.0.0.1' : bare
}

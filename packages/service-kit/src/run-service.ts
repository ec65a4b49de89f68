import type { Server } from 'node:http'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from './config-error.ts'

/** How long SIGTERM drains; then the process ends anyway. */
const CLOSE_TIMEOUT_MS = 25_000
const CLOSE_CHECK_MS = 250

type Service<Config> = {
  loadConfig: (env: NodeJS.ProcessEnv) => Config
  buildApp: (config: Config) => FastifyInstance
  address: (config: Config) => { host: string, port: number }
}

/**
 * Runs a service as a process: reads the configuration, listens, and drains on SIGTERM and SIGINT. A faulty
 * configuration ends it with exit code 78 (EX_CONFIG) and one message, a failed start with 1.
 */
export async function runService<Config> ({ loadConfig, buildApp, address }: Service<Config>): Promise<void> {
  let app: FastifyInstance | undefined
  try {
    const config = loadConfig(process.env)
    app = buildApp(config)
    const closeUnused = watchConnections(app.server)
    closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: app.log }, graceful(app, closeUnused))
    await app.listen(address(config))
  } catch (err) {
    if (err instanceof ConfigError) process.stderr.write(`${err.message}\n`)
    else if (app) app.log.fatal({ err }, 'start failed')
    else throw err
    await app?.close()
    process.exit(err instanceof ConfigError ? 78 : 1)
  }
}

/**
 * Browsers open connections ahead of use. Node does not count one that has sent nothing yet as idle, and a close would
 * wait for it for over a minute: so once no request is in progress, all connections are closed.
 */
function watchConnections (server: Server): () => void {
  let inProgress = 0
  server.on('request', (_request, response) => {
    inProgress++
    response.once('close', () => { inProgress-- })
  })
  return () => {
    setInterval(() => { if (inProgress === 0) server.closeAllConnections() }, CLOSE_CHECK_MS).unref()
  }
}

function graceful (app: FastifyInstance, closeUnused: () => void) {
  return async ({ err, signal }: { err?: Error, signal?: string }) => {
    if (err) app.log.fatal({ err }, 'closing after an uncaught error')
    else app.log.info({ signal }, 'closing')
    // A close would first wait for the start: for an unavailable Postgres, or for a migration, which is rolled back.
    if (!app.server.listening) return
    closeUnused()
    await app.close()
  }
}

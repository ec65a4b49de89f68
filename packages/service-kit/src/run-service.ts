import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from './config.ts'

/** SIGTERM drains within this time; then the process ends anyway. */
const CLOSE_TIMEOUT_MS = 25_000

type Service<Config> = {
  loadConfig: (env: NodeJS.ProcessEnv) => Config
  buildApp: (config: Config) => FastifyInstance
  address: (config: Config) => { host: string, port: number }
}

/**
 * A service as a process: configuration, app, listening, and a close that
 * drains on SIGTERM and SIGINT. A faulty configuration ends it with exit code
 * 78 (EX_CONFIG) and one message, a failed start with 1.
 */
export async function runService<Config> ({ loadConfig, buildApp, address }: Service<Config>): Promise<void> {
  let app: FastifyInstance | undefined
  try {
    const config = loadConfig(process.env)
    app = buildApp(config)
    closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: app.log }, graceful(app))
    await app.listen(address(config))
  } catch (err) {
    if (err instanceof ConfigError) process.stderr.write(`${err.message}\n`)
    else if (app) app.log.fatal({ err }, 'start failed')
    else throw err
    await app?.close()
    process.exit(err instanceof ConfigError ? 78 : 1)
  }
}

function graceful (app: FastifyInstance) {
  return async ({ err, signal }: { err?: Error, signal?: string }) => {
    if (err) app.log.fatal({ err }, 'closing after an error that nobody caught')
    else app.log.info({ signal }, 'closing')
    await app.close()
  }
}

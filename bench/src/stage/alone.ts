import { freePort } from '@tidings/dev-servers'
import { join } from 'node:path'
import { signAccessToken } from '@tidings/contracts'
import { createDatabase } from './create-database.ts'
import type { Stage } from './stage.ts'
import { startNode } from './start-node.ts'

const TOKEN_MS = 3_600_000
const VARIABLES = {
  'jobs-api': 'JOBS_API_PORT',
  'realtime-gateway': 'REALTIME_GATEWAY_PORT',
  'webhook-dispatcher': 'WEBHOOK_DISPATCHER_PORT'
}

export interface Alone {
  name: keyof typeof VARIABLES
  /** A Redis database of its own: the stream of the whole system is not this service's. */
  redisDatabase: number
  env?: NodeJS.ProcessEnv
}

export interface AloneService {
  origin: string
  pid: number
  redisUrl: string
  databaseUrl: string
  token: (user: number) => string
  /** Freezes it, so that a backlog can be laid out before it. */
  pause: () => void
  resume: () => void
  stop: () => Promise<void>
}

/** Starts one service by itself, on the servers of the system but with data of its own. */
export async function startAlone (stage: Stage, { name, redisDatabase, env = {} }: Alone): Promise<AloneService> {
  const { system } = await stage.tidings()
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const redisUrl = `${system.endpoints.redis}/${redisDatabase}`
  const databaseUrl = await createDatabase(system.endpoints.postgres as string, `alone_${redisDatabase}`)
  const running = await startNode({
    name,
    entry: new URL(`../../../services/${name}/src/server.ts`, import.meta.url),
    env: {
      ...stage.env,
      REFRESH_TOKEN_SECRET: `not ${stage.tokenSecret}`,
      WEBHOOK_SECRET_KEY: stage.tokenSecret,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      JOBS_API_URL: system.endpoints['jobs-api'],
      [VARIABLES[name]]: String(port),
      ...env
    },
    log: join(stage.folder, `alone-${name}.log`),
    readyUrl: `${origin}/readyz`
  })
  return {
    origin,
    pid: running.pid,
    redisUrl,
    databaseUrl,
    token: user => signAccessToken({ userId: String(user), secret: stage.tokenSecret, expiresInMs: TOKEN_MS }),
    pause: () => { running.process.kill('SIGSTOP') },
    resume: () => { running.process.kill('SIGCONT') },
    stop: async () => {
      running.process.kill('SIGCONT') // a stopped process does not see SIGTERM
      await running.stop()
    }
  }
}

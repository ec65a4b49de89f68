import { freePort } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'
import { join } from 'node:path'
import { createDatabase } from './create-database.ts'
import type { Side } from './side.ts'
import { startNode } from './start-node.ts'

export interface MonolithOptions {
  name: 'naive' | 'tuned'
  redisUrl: string
  /** A database of its own is made beside this one. */
  databaseUrl: string
  tokenSecret: string
  env: NodeJS.ProcessEnv
  folder: string
  token: Side['token']
  dataServers: Side['processes']
}

export interface Monolith {
  side: Side
  /** SIGKILL, and a new start at once; resolves when it answers again. */
  crash: () => Promise<void>
  stop: () => Promise<void>
}

/** A monolith on the same Redis and Postgres servers, with a queue and a database of its own. */
export async function startMonolith (options: MonolithOptions): Promise<Monolith> {
  const { name, redisUrl, tokenSecret, env, folder, token, dataServers } = options
  const databaseUrl = await createDatabase(options.databaseUrl, name)
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const start = () => startNode({
    name,
    entry: new URL(`../../${name}/server.ts`, import.meta.url),
    env: { ...env, PORT: String(port), REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, QUEUE: name, TOKEN_SECRET: tokenSecret },
    log: join(folder, `${name}.log`),
    readyUrl: `${origin}/webhooks`
  })
  let running: ServerProcess = await start()

  return {
    side: {
      name,
      queue: name,
      jobs: origin,
      sockets: origin,
      webhooks: origin,
      protocol: 'socket.io',
      token,
      processes: () => [{ name, pid: running.pid }, ...dataServers()]
    },
    crash: async () => {
      running.process.kill('SIGKILL')
      await running.exited
      running = await start()
    },
    stop: () => running.stop()
  }
}

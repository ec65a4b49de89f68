import { startRedis as startServer } from '@tidings/dev-servers'
import type { RedisServer } from '@tidings/dev-servers'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { noteProcess } from './test-run.ts'

export interface TestRedisOptions {
  appendonly?: boolean
  settings?: Record<string, string>
}

// Answers keep their ordinary shape.
export type ClientOptions = RedisOptions

export interface TestRedis {
  url: string
  host: string
  port: number
  readonly pid: number
  /** A client that is closed with the test. */
  client: (options?: ClientOptions) => Redis
  /** Freezes the server: connections stay open and nothing answers. */
  pause: () => void
  resume: () => void
  /** SIGKILL; resolves when the process is gone. */
  kill: () => Promise<void>
  stop: () => Promise<void>
  /** Starts it again on the same port and data; stops it first when it runs. */
  restart: () => Promise<void>
  /**
   * Notes how far the append-only file is; `lose` kills the server and starts it again without what was written since,
   * and without so many bytes (default 0) before that, which cut a command in the middle.
   */
  noteTail: () => { lose: (bytes?: number) => Promise<void> }
}

/** A Redis of the test's own on a free port, gone with the test. */
export async function startRedis (t: TestContext, options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = temporaryFolder(t, 'redis')
  const start = async (port?: number): Promise<RedisServer> => {
    const started = await startServer({ dir, port, ...options })
    noteProcess(started.process)
    return started
  }
  let server = await start()
  const { url, host, port } = server

  const resume = () => { server.process.kill('SIGCONT') }
  const stop = async () => {
    resume() // a stopped process does not see SIGTERM
    await server.stop()
  }
  t.teardown(stop)
  const kill = async () => {
    server.process.kill('SIGKILL')
    await server.exited
  }

  return {
    url,
    host,
    port,
    get pid () { return server.pid },
    client: options => openClient(t, url, options),
    pause: () => { server.process.kill('SIGSTOP') },
    resume,
    stop,
    kill,
    restart: async () => {
      await stop()
      server = await start(port)
    },
    noteTail: () => {
      // Redis writes a command to the file before it answers.
      const file = appendOnlyFile(dir)
      const { size } = statSync(file)
      return {
        lose: async (bytes = 0) => {
          await kill()
          truncateSync(file, Math.max(0, size - bytes))
          server = await start(port)
        }
      }
    }
  }
}

/** The file that is appended to; a rewrite would begin another one, for which tests write too little. */
function appendOnlyFile (dir: string): string {
  const folder = join(dir, 'appendonlydir')
  const file = readdirSync(folder).find(name => name.endsWith('.incr.aof'))
  if (file === undefined) throw new Error('Redis runs without an append-only file')
  return join(folder, file)
}

function openClient (t: TestContext, url: string, options: ClientOptions = {}): Redis {
  const client = new Redis(url, options)
  // Without a listener ioredis prints each lost connection; commands still reject.
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

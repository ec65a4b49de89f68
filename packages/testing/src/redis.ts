import { startRedis as startEmbedded } from '@tidings/embedded'
import type { RedisServer } from '@tidings/embedded'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { noteProcess } from './test-run.ts'

export interface TestRedisOptions {
  appendonly?: boolean
  settings?: Record<string, string>
}

// Answers keep their ordinary shape.
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

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
}

/** A Redis of the test's own on a free port, gone with the test. */
export async function startRedis (t: TestContext, options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = temporaryFolder(t, 'redis')
  const start = async (port?: number): Promise<RedisServer> => {
    const started = await startEmbedded({ dir, port, ...options })
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

  return {
    url,
    host,
    port,
    get pid () { return server.pid },
    client: options => openClient(t, url, options),
    pause: () => { server.process.kill('SIGSTOP') },
    resume,
    stop,
    kill: async () => {
      server.process.kill('SIGKILL')
      await server.exited
    },
    restart: async () => {
      await stop()
      server = await start(port)
    }
  }
}

function openClient (t: TestContext, url: string, options: ClientOptions = {}): Redis {
  const client = new Redis(url, options)
  // Without a listener ioredis prints each lost connection; commands still reject.
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

import { childrenOf, isAlive, startPostgres as startServer } from '@tidings/dev-servers'
import type { PostgresServer } from '@tidings/dev-servers'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { noteProcess } from './test-run.ts'
import { until } from './until.ts'

// A test's cluster never meets a power cut: SIGKILL loses nothing that the kernel already has.
const SETTINGS = { fsync: 'off', shared_buffers: '32MB' }

export interface TestPostgres {
  /** Its data directory. */
  dir: string
  url: string
  port: number
  readonly pid: number
  readonly process: ChildProcess
  /** Freezes the server with all its backends: connections stay open and nothing answers. */
  pause: () => void
  resume: () => void
  /** SIGKILL; resolves when server and backends are gone. */
  kill: () => Promise<void>
  stop: () => Promise<void>
  /** Starts it again on the same port and data. */
  start: () => Promise<void>
  /** False once the server has ended, also by itself. */
  readonly isRunning: boolean
}

export interface TestPostgresOptions {
  settings?: Record<string, string>
  /** Has the data, as a folder in it. A temporary one by default. */
  folder?: string
}

/** A Postgres cluster of the test's own, for tests that stop it; `createDatabase` is cheaper for all others. */
export async function startPostgres (
  t: TestContext, { settings, folder }: TestPostgresOptions = {}
): Promise<TestPostgres> {
  return await serve(t, join(folder ?? temporaryFolder(t, 'postgres'), 'data'), settings)
}

/** Runs a server on a data directory, which is made if it is missing. */
export async function serve (t: TestContext, dir: string, settings?: Record<string, string>): Promise<TestPostgres> {
  const start = async (port?: number): Promise<PostgresServer> => {
    const started = await startServer({ dir, port, database: 'test', settings: { ...SETTINGS, ...settings } })
    noteProcess(started.process)
    return started
  }
  let server = await start()
  let paused: number[] = []

  const pause = () => {
    server.process.kill('SIGSTOP') // first, so that it forks no more
    paused = childrenOf(server.pid)
    for (const pid of paused) signal(pid, 'SIGSTOP')
  }
  const resume = () => {
    for (const pid of paused) signal(pid, 'SIGCONT')
    paused = []
    server.process.kill('SIGCONT')
  }
  const stop = async () => {
    resume()
    await server.stop()
  }
  t.teardown(stop)

  return {
    dir,
    url: server.url,
    port: server.port,
    get pid () { return server.pid },
    get process () { return server.process },
    pause,
    resume,
    stop,
    kill: async () => {
      const backends = childrenOf(server.pid)
      server.process.kill('SIGKILL')
      resume()
      await server.exited
      await until(() => !backends.some(isAlive), { what: 'the backends of a killed Postgres to end' })
    },
    start: async () => { server = await start(server.port) },
    get isRunning () { return server.process.exitCode === null && server.process.signalCode === null }
  }
}

function signal (pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err // a backend that ended meanwhile
  }
}

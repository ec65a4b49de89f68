import { freePort, spawnService, type SpawnedService, type TestContext } from '@tidings/testing'

const READY_TIMEOUT_MS = 300_000
const LOG_TAIL = 4000

interface NodeProcessOptions {
  name: string
  entry: string
  args?: string[]
  /** Its environment when it listens on this port. */
  env: (port: number) => Record<string, string>
  /** Polled until it responds with 2xx. */
  readyPath?: string
}

/**
 * A process of the system that can be killed, frozen and started again, each time on another port. Faults of one round
 * may choose the same one: what has been done already is not done again.
 */
export interface NodeProcess {
  name: string
  /** Undefined while it does not run. */
  readonly port: number | undefined
  readonly pid: number
  /** With more variables than the ordinary ones, for this run. */
  start: (more?: Record<string, string>) => Promise<void>
  /** Sends the signal and resolves when the process has ended; a frozen one goes on, as it would not end otherwise. */
  kill: (signal: NodeJS.Signals) => Promise<void>
  freeze: () => void
  thaw: () => void
  /** The end of what its present run wrote. */
  output: () => string
}

export function nodeProcess (t: TestContext, { name, entry, args, env, readyPath }: NodeProcessOptions): NodeProcess {
  let running: SpawnedService | undefined
  let port: number | undefined

  const current = () => {
    if (running === undefined) throw new Error(`${name} does not run`)
    return running
  }
  return {
    name,
    get port () { return port },
    get pid () { return current().pid },
    start: async (more = {}) => {
      if (running !== undefined) return
      const chosen = await freePort()
      running = await spawnService(t, {
        entry,
        env: { ...env(chosen), ...more },
        readyTimeoutMs: READY_TIMEOUT_MS,
        ...(args && { args }),
        ...(readyPath && { readyUrl: `http://127.0.0.1:${chosen}${readyPath}` })
      })
      port = chosen
    },
    kill: async signal => {
      if (running === undefined) return
      const ended = running.kill(signal)
      running.process.kill('SIGCONT')
      await ended
      running = undefined
      port = undefined
    },
    freeze: () => { running?.process.kill('SIGSTOP') },
    thaw: () => { running?.process.kill('SIGCONT') },
    output: () => running?.output().slice(-LOG_TAIL) ?? ''
  }
}

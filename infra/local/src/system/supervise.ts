import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'

const SHORTEST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** A child that ran for this long did not fail at its start, so the next wait is the shortest again. */
const STEADY_MS = 2_000

export interface SuperviseOptions {
  name: string
  start: () => Promise<ServerProcess>
  /** Resolves when the child is ready; rejects when it ends before. */
  ready: (running: ServerProcess) => Promise<void>
  onStart: (pid: number) => void
  onEnd: () => void
  report: (line: string) => void
}

/** A child that is restarted whenever it ends. */
export interface Supervised {
  name: string
  /** Undefined while the child is being restarted. */
  readonly pid: number | undefined
  /** The number of starts so far. */
  readonly starts: number
  /** Starts the child for the first time; rejects when that fails. After it the child is restarted at each end. */
  start: () => Promise<void>
  /** Resolves when the child is running and ready. */
  ready: () => Promise<void>
  /** Sends the current process a signal that ends it (default SIGKILL), and resolves when it has ended. */
  kill: (signal?: NodeJS.Signals) => Promise<void>
  /** Ends the child without a restart. */
  stop: () => Promise<void>
}

/** Keeps a child running, with growing waits while it keeps failing. */
export function supervise ({ name, start, ready, onStart, onEnd, report }: SuperviseOptions): Supervised {
  const stopping = new AbortController()
  let running: ServerProcess | undefined
  let starts = 0
  let wait = SHORTEST_WAIT_MS
  let current: Promise<ServerProcess | undefined> = Promise.resolve(undefined)
  let loop: Promise<void> = Promise.resolve()

  async function startOnce (): Promise<ServerProcess> {
    const child = await start()
    running = child
    starts++
    onStart(child.pid)
    child.process.once('exit', () => {
      running = undefined
      onEnd()
    })
    if (stopping.signal.aborted) await child.stop()
    await ready(child)
    return child
  }

  /** Resolves with undefined when it was stopped meanwhile. */
  async function startAgain (): Promise<ServerProcess | undefined> {
    for (;;) {
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return undefined
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
      try {
        return await startOnce()
      } catch (err) {
        if (!stopping.signal.aborted) report(`${name} did not start: ${(err as Error).message}`)
      }
    }
  }

  async function keepRunning (): Promise<void> {
    for (let child = await current; child !== undefined; child = await current) {
      const since = Date.now()
      const exit = await child.exited
      if (stopping.signal.aborted) return
      report(`${name} ended (${describeExit(exit)}) and is restarted`)
      if (Date.now() - since > STEADY_MS) wait = SHORTEST_WAIT_MS
      current = startAgain()
    }
  }

  return {
    name,
    get pid () { return running?.pid },
    get starts () { return starts },
    start: async () => {
      current = startOnce()
      await current
      loop = keepRunning()
    },
    ready: async () => { await current },
    kill: async (signal = 'SIGKILL') => {
      const child = running
      child?.process.kill(signal)
      await child?.exited
    },
    stop: async () => {
      stopping.abort()
      await running?.stop()
      await loop
    }
  }
}

import type { FastifyBaseLogger } from 'fastify'
import { pause } from './async.ts'

export type PeriodicTask = {
  name: string
  /** Milliseconds between the end of a run and the start of the next. */
  everyMs: number
  /** Before the first run; at once unless given. */
  startsAfterMs?: number
  /** One bounded run; returns true where more is left to do, and the next run follows at once. */
  run: (signal: AbortSignal) => Promise<boolean | void>
}

type Log = Pick<FastifyBaseLogger, 'warn' | 'debug'>

/**
 * Runs a task again and again until the signal aborts; resolves once the last run has ended. A failure is logged, the
 * first in a row as a warning, and does not end the task.
 *
 * Not toad-scheduler: its tasks start at fixed times and skip while one still runs, it cannot go on at once where a run
 * leaves work, and its `stop` does not wait for the running task, which still needs the pools that are closed next.
 */
export async function runPeriodically (
  task: PeriodicTask, { signal, log }: { signal: AbortSignal, log: Log }
): Promise<void> {
  const { name, everyMs, startsAfterMs = 0, run } = task
  let hasFailed = false
  if (startsAfterMs > 0) await pause(startsAfterMs, signal)
  while (!signal.aborted) {
    let hasMore: boolean | void = false
    try {
      hasMore = await run(signal)
      hasFailed = false
    } catch (err) {
      if (!signal.aborted) {
        log[hasFailed ? 'debug' : 'warn']({ err, task: name }, 'periodic task failed, will be tried again')
      }
      hasFailed = true
    }
    if (!hasMore) await pause(everyMs, signal)
  }
}

/** Runs several tasks side by side; `stop` resolves once all of them have ended. */
export function startPeriodicTasks (tasks: PeriodicTask[], log: Log): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  const running = tasks.map(async task => await runPeriodically(task, { signal: stopping.signal, log }))
  return {
    async stop () {
      stopping.abort()
      await Promise.all(running)
    }
  }
}

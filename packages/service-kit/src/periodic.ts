import type { FastifyBaseLogger } from 'fastify'
import { pause } from './async.ts'
import type { Loops } from './loops.ts'

/** What a long run of a task is given: it ends soon once the signal aborts, and calls `alive` after each page. */
export type Run = { signal: AbortSignal, alive?: () => void }

export type PeriodicTask = {
  name: string
  /** Milliseconds between the end of a run and the start of the next. */
  everyMs: number
  /** Before the first run; at once unless given. */
  startsAfterMs?: number
  /** How long a run may take, or a part of one after which it calls `alive`; two minutes unless given. */
  timeoutMs?: number
  /**
   * One bounded run; returns true where more is left to do, and the next run follows at once. A run that is given up
   * has its signal aborted, and may still complete the statement that it waits for: beside the next one, as beside that
   * of another replica.
   */
  run: (run: Run) => Promise<boolean | void>
}

type Log = Pick<FastifyBaseLogger, 'warn' | 'debug'>
/** Such as an app. */
type Context = { log: Log, loops: Pick<Loops, 'watch'> }

/**
 * Runs a task again and again until the signal aborts; resolves once the last run has ended, or was given up. A failure
 * is logged, the first in a row as a warning, and does not end the task.
 *
 * Not toad-scheduler: its tasks start at fixed times and skip while one still runs, it cannot go on at once where a run
 * leaves work, and its `stop` does not wait for the running task, which still needs the pools that are closed next.
 */
export async function runPeriodically (
  task: PeriodicTask, { signal, log, loops }: Context & { signal: AbortSignal }
): Promise<void> {
  const { name, everyMs, startsAfterMs = 0, timeoutMs, run } = task
  const loop = loops.watch(name, timeoutMs)
  let hasFailed = false
  if (startsAfterMs > 0) await pause(startsAfterMs, signal)
  while (!signal.aborted) {
    const givingUp = new AbortController()
    let hasMore: boolean | void = false
    try {
      hasMore = await loop.step(async alive => await run({ signal: AbortSignal.any([signal, givingUp.signal]), alive }))
      hasFailed = false
    } catch (err) {
      givingUp.abort(err)
      if (!signal.aborted) {
        log[hasFailed ? 'debug' : 'warn']({ err, task: name }, 'periodic task failed, will be tried again')
      }
      hasFailed = true
    }
    if (!hasMore) await pause(everyMs, signal)
  }
  loop.end()
}

/** Runs several tasks side by side; `stop` resolves once all of them have ended. */
export function startPeriodicTasks (tasks: PeriodicTask[], { log, loops }: Context): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const running = tasks.map(async task => await runPeriodically(task, { signal, log, loops }))
  return {
    async stop () {
      stopping.abort()
      await Promise.all(running)
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'

const LATE = Symbol('late')

/** More than a step of any loop takes whose statements and commands all reach their own timeouts. */
const STEP_TIMEOUT_MS = 60_000

/** A step of a loop did not end in time and was given up, though it may end later. */
export class StepTimeout extends Error {
  constructor (ms: number) {
    super(`A step did not end within ${ms / 1000} s and was given up`)
    this.name = 'StepTimeout'
  }
}

/**
 * The outcome of a promise, or what `onTimeout` returns or throws after `ms`. The promise itself goes on; a rejection
 * after the timeout is ignored.
 */
export async function withTimeout<T, Late> (
  promise: Promise<T> | T, ms: number, onTimeout: () => Late
): Promise<T | Late> {
  return await withRenewableTimeout(() => promise, ms, onTimeout)
}

/** The same for work that gets `again`, which gives it its whole time again. */
export async function withRenewableTimeout<T, Late> (
  work: (again: () => void) => Promise<T> | T, ms: number, onTimeout: () => Late
): Promise<T | Late> {
  const late = Promise.withResolvers<typeof LATE>()
  const start = () => setTimeout(late.resolve, ms, LATE)
  let timer: NodeJS.Timeout | undefined = start()
  const again = () => {
    if (timer === undefined) return // too late
    clearTimeout(timer)
    timer = start()
  }
  try {
    const outcome = await Promise.race([work(again), late.promise])
    return outcome === LATE ? onTimeout() : outcome as T
  } finally {
    clearTimeout(timer)
    timer = undefined
  }
}

/**
 * The outcome of a loop's step. Each statement and command in it has a timeout of its own, so one that takes longer
 * than this has lost something: it is given up, and the loop goes on. It may complete later, so the step that follows
 * has to be idempotent, or fenced.
 * @throws StepTimeout
 */
export async function limitStep<T> (step: Promise<T>, ms = STEP_TIMEOUT_MS): Promise<T> {
  return await withTimeout(step, ms, (): never => { throw new StepTimeout(ms) })
}

/**
 * The outcome of a promise, or a rejection with the signal's reason once it aborts. For replies that may never come:
 * ioredis does not settle the commands in its offline queue when it is disconnected while it waits to reconnect.
 */
export async function untilAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Resolves after `ms`, or at once when the signal aborts: the caller's loop looks at the signal itself. */
export async function pause (ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/** How long to wait after the `failures`-th failure in a row (from 0): doubles from `minMs` up to `maxMs`. */
export function backoff (failures: number, { minMs, maxMs }: { minMs: number, maxMs: number }): number {
  return Math.min(minMs * 2 ** failures, maxMs)
}

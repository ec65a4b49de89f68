import { setTimeout as sleep } from 'node:timers/promises'

const LATE = Symbol('late')

/**
 * The outcome of a promise, or what `onTimeout` returns or throws after `ms`. The promise itself goes on; a rejection
 * after the timeout is ignored.
 */
export async function withTimeout<T, Late> (
  promise: Promise<T> | T, ms: number, onTimeout: () => Late
): Promise<T | Late> {
  const late = Promise.withResolvers<typeof LATE>()
  const timer = setTimeout(late.resolve, ms, LATE)
  try {
    const outcome = await Promise.race([promise, late.promise])
    return outcome === LATE ? onTimeout() : outcome as T
  } finally {
    clearTimeout(timer)
  }
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

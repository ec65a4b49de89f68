import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Only there to end a run in which nothing works: a machine may be many times slower than ours. `npm run proofs`, in
 * which tests are to fail, shortens it.
 */
const TIMEOUT_MS = Number(process.env.TIDINGS_TEST_WAIT_MS ?? 90_000)
const INTERVAL_MS = 20

export interface UntilOptions {
  timeoutMs?: number
  intervalMs?: number
  /** Completes "waited … in vain for". */
  what?: string
}

type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>

/**
 * Polls until the predicate gives something truthy, and returns that. One that throws counts as not yet; its last
 * error is the cause of the failure.
 */
export async function until<T> (predicate: () => T | Promise<T>, options: UntilOptions = {}): Promise<Truthy<T>> {
  const { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS, what = predicate.toString() } = options
  const deadline = Date.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const value = await predicate()
      if (value) return value as Truthy<T>
      cause = undefined
    } catch (err) {
      cause = err
    }
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await sleep(intervalMs)
  }
}

import { pause } from '../../async.ts'

/** Locks that are not free at once are tried again, so that nothing queues up behind the attempt. */
const TRIES = 200
const PAUSE_MS = 20
/** Then they are waited for once, and so may others have to. */
const LAST_WAIT_MS = 100
const LOCK_NOT_AVAILABLE = '55P03'
const UNDEFINED_TABLE = '42P01'

/** For the transaction of an attempt. */
export const LOCK_TIMEOUT = `set local lock_timeout = ${LAST_WAIT_MS}`

/**
 * Runs a transaction that takes strong locks, without making others wait for them to be free: again and again, for some
 * four seconds; then others may have to wait for 100 ms, once. `mode` is for its `lock table`: `nowait`, or nothing in
 * the last attempt. Returns undefined where that did not suffice either.
 */
export async function tryLocks<Result> (
  attempt: (mode: string) => Promise<Result>, signal?: AbortSignal
): Promise<Result | undefined> {
  for (let tries = 1; tries <= TRIES && !signal?.aborted; tries++) {
    try {
      return await attempt(tries < TRIES ? 'nowait' : '')
    } catch (err) {
      if ((err as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw err
      await pause(PAUSE_MS * (0.5 + Math.random()), signal)
    }
  }
  return undefined
}

/** False for a table that is gone, as another replica was faster; other errors are thrown. */
export function leaveToOthers (err: unknown): false {
  if ((err as { code?: unknown }).code === UNDEFINED_TABLE) return false
  throw err
}

import type { TransactionSql } from 'postgres'
import { pause } from '../../async.ts'
import type { RawSql } from '../client.ts'

/** Locks that are not free at once are tried again, so that nothing queues up behind the attempt. */
const TRIES = 200
const PAUSE_MS = 20
/** Then they are waited for once, and so may others have to. */
const LAST_WAIT_MS = 100
const LOCK_NOT_AVAILABLE = '55P03'

/** `mode`: `nowait`, or nothing in the last attempt. */
type Attempt<Result> = (tx: TransactionSql<{ bigint: number }>, mode: string) => Promise<Result>

/**
 * Runs a transaction that takes strong locks, without making others wait: again and again until the locks are free,
 * which takes four seconds at most; then others may have to wait for 100 ms, once. Returns undefined where that did not
 * suffice either.
 */
export async function tryLocks<Result> (
  sql: RawSql, attempt: Attempt<Result>, signal?: AbortSignal
): Promise<Result | undefined> {
  for (let tries = 1; tries <= TRIES && !signal?.aborted; tries++) {
    try {
      return await sql.begin(async tx => {
        await tx.unsafe(`set local lock_timeout = ${LAST_WAIT_MS}`)
        return await attempt(tx, tries < TRIES ? 'nowait' : '')
      }) as Result
    } catch (err) {
      if ((err as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw err
      await pause(PAUSE_MS * (0.5 + Math.random()), signal)
    }
  }
  return undefined
}

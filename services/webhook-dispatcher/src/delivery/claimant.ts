import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'

/** Of the advisory locks by which claimants show that they live; the second number is the claimant's. */
export const CLAIMANT_LOCKS = 0x77_68_64
const RELOCK_MS = 100

type ClaimantOptions = {
  sql: RawSql
  /** Opens one connection that is never recycled, and tells when it is lost. */
  openSession: (onLost: () => void) => RawSql
  leaseMs: number
  log: FastifyBaseLogger
}

export type Claimant = {
  /** The name under which this process claims; undefined while it has none that is surely alive. */
  readonly id: number | undefined
  start (): Promise<void>
  /** To be called when it is not known what was claimed (an answer was lost): what that was is free at once. */
  forsake (): void
  stop (): Promise<void>
}

/**
 * This process' lease. A claim in a row is the number of its claimant, and
 * holds while that claimant's lease does: whatever a process holds, it renews
 * one row. A name that lapsed or was forsaken is never used again, so that its
 * claims fence what was done under it.
 *
 * The lease is for what nobody notices: a machine that is gone, a process that
 * hangs. The end of a process closes its connections, so that the lock that it
 * held tells the others (claim-reaper.ts) at once.
 */
export function createClaimant ({ sql, openSession, leaseMs, log }: ClaimantOptions): Claimant {
  const session = openSession(() => { relock().catch((err: unknown) => log.error({ err }, 'delivery: the lock was not taken again')) })
  let id: number | undefined
  let trustedUntil = 0
  let timer: NodeJS.Timeout | undefined
  let forsaken: number[] = []
  let beating: Promise<void> | undefined
  let isStopped = false

  async function beat (): Promise<void> {
    // Counted from before the statement and short of the lease: the others must not be first to see the end.
    const since = performance.now()
    try {
      await dropForsaken()
      id = (id === undefined ? undefined : await renew(id)) ?? await register()
      trustedUntil = since + leaseMs * 0.8
    } catch (err) {
      log.warn({ err }, 'delivery: the lease could not be renewed')
    }
  }

  async function renew (mine: number): Promise<number | undefined> {
    const [row] = await sql<{ id: number }[]>`
      update webhooks.claimants set lease_until = now() + ${leaseMs}::int * interval '1 ms'
      where id = ${mine} and lease_until > now() returning id`
    return row?.id
  }

  /** The row is seen by others when the lock is held already. */
  async function register (): Promise<number | undefined> {
    const [row] = await session<{ id: number }[]>`
      with registered as (
        insert into webhooks.claimants (host, lease_until, guarded)
        values (${`${hostname()}:${process.pid}`}, now() + ${leaseMs}::int * interval '1 ms', true) returning id
      )
      select id, pg_advisory_lock(${CLAIMANT_LOCKS}, id::int)::text from registered`
    return row?.id
  }

  /** A connection may be lost without us: who takes the lock again soon enough keeps its name. */
  async function relock (): Promise<void> {
    const mine = id
    if (mine === undefined) return
    const isStillMine = () => mine === id && !isStopped
    while (isStillMine()) {
      try {
        await session`select pg_advisory_lock(${CLAIMANT_LOCKS}, ${mine}::int)::text`
        return
      } catch (err) {
        log.debug({ err }, 'delivery: the lock could not be taken again yet')
        await sleep(RELOCK_MS)
      }
    }
  }

  async function dropForsaken (): Promise<void> {
    if (forsaken.length === 0) return
    await sql`delete from webhooks.claimants where id = any(${forsaken}::bigint[])`
    forsaken = []
  }

  async function loop (): Promise<void> {
    await beat()
    if (!isStopped) timer = setTimeout(() => { beating = loop() }, id === undefined ? Math.min(500, leaseMs / 3) : leaseMs / 3)
  }

  return {
    get id () { return performance.now() < trustedUntil ? id : undefined },
    start: loop,
    forsake () {
      if (id === undefined) return
      forsaken.push(id)
      id = undefined
      clearTimeout(timer)
      timer = setTimeout(() => { beating = loop() })
    },
    async stop () {
      isStopped = true
      clearTimeout(timer)
      await beating
      if (id !== undefined) forsaken.push(id)
      id = undefined
      await dropForsaken().catch((err: unknown) => log.warn({ err }, 'delivery: claims are free only with our connection'))
      await session.end({ timeout: 5 })
    }
  }
}

import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'

/** Of the advisory locks by which claimants show that they live; the second number is the claimant's. */
export const WORKER_LOCKS = 0x77_68_64
/** A claimant whose connection was lost has so long to take its lock again: Postgres may have restarted. */
export const LOCK_GRACE_MS = 2000
/** While it has no name, or no lock. */
const RETRY_MS = 200
/** The others must not be first to see the end of a lease, or of the grace. */
const TRUSTED_SHARE = 0.8

type WorkerLeaseOptions = {
  /** Opens one connection that is never recycled and comes back at once, and tells when it is lost. */
  openConnection: (onLost: () => void) => RawSql
  leaseMs: number
  log: FastifyBaseLogger
}

export type WorkerLease = {
  /** The name under which this process claims; undefined while it has none that is surely alive. */
  readonly workerId: number | undefined
  start (): Promise<void>
  /** To be called when it is not known what was claimed (an answer was lost): what that was is free at once. */
  abandon (): void
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
 * held tells the others (claim-reaper.ts) at once. Whoever lost a connection
 * and lives stops in time, or takes its lock again and keeps its name.
 */
export function createWorkerLease ({ openConnection, leaseMs, log }: WorkerLeaseOptions): WorkerLease {
  const connection = openConnection(onLost)
  let id: number | undefined
  let trustedUntil = 0
  /** How often the connection was lost; what was asked before that tells nothing of what holds after it. */
  let connectionLosses = 0
  let hasLock = false
  let abandoned: number[] = []
  let timer: NodeJS.Timeout | undefined
  let renewing: Promise<void> | undefined
  let isStopped = false

  function onLost (): void {
    connectionLosses++
    hasLock = false
    trustedUntil = Math.min(trustedUntil, performance.now() + LOCK_GRACE_MS * TRUSTED_SHARE)
    renewIn(0)
  }

  async function renewOrRegister (): Promise<void> {
    // Counted from before the statements.
    const since = performance.now()
    const seen = connectionLosses
    try {
      await deleteAbandoned()
      const renewed = id === undefined ? undefined : await renew(id)
      const mine = renewed ?? await register()
      // Forsaken, or lost, while it was asked for: the beat that follows sees to it.
      id = abandoned.includes(mine) ? undefined : mine
      if (connectionLosses !== seen) return
      hasLock = true
      trustedUntil = since + leaseMs * TRUSTED_SHARE
    } catch (err) {
      log.warn({ err }, 'delivery: the lease could not be renewed')
    }
  }

  async function renew (mine: number): Promise<number | undefined> {
    if (!hasLock) await connection`select pg_advisory_lock(${WORKER_LOCKS}, ${mine}::int)::text`
    const [row] = await connection<{ id: number }[]>`
      update webhooks.claimants set lease_until = now() + ${leaseMs}::int * interval '1 ms'
      where id = ${mine} and lease_until > now() returning id`
    return row?.id
  }

  /** The row is seen by others when the lock is held already. */
  async function register (): Promise<number> {
    const [row] = await connection<{ id: number }[]>`
      with registered as (
        insert into webhooks.claimants (host, lease_until, guarded)
        values (${`${hostname()}:${process.pid}`}, now() + ${leaseMs}::int * interval '1 ms', true) returning id
      )
      select id, pg_advisory_lock(${WORKER_LOCKS}, id::int)::text from registered`
    return (row as { id: number }).id
  }

  async function deleteAbandoned (): Promise<void> {
    const dropped = abandoned
    if (dropped.length === 0) return
    await connection`delete from webhooks.claimants where id = any(${dropped}::bigint[])`
    abandoned = abandoned.slice(dropped.length) // one may have been added meanwhile
  }

  /** One beat at a time: one that is asked for while another is under way follows it. */
  function renewIn (inMs: number): void {
    clearTimeout(timer)
    if (isStopped) return
    timer = setTimeout(() => {
      renewing = (renewing ?? Promise.resolve()).then(renewAndSchedule)
    }, inMs)
  }

  async function renewAndSchedule (): Promise<void> {
    await renewOrRegister()
    renewIn(hasLock ? leaseMs / 3 : Math.min(RETRY_MS, leaseMs / 3))
  }

  return {
    get workerId () { return performance.now() < trustedUntil ? id : undefined },
    start () {
      renewing = renewAndSchedule()
      return renewing
    },
    abandon () {
      if (id === undefined) return
      abandoned = [...abandoned, id]
      id = undefined
      renewIn(0)
    },
    async stop () {
      isStopped = true
      clearTimeout(timer)
      await renewing
      if (id !== undefined) abandoned = [...abandoned, id]
      id = undefined
      await deleteAbandoned().catch((err: unknown) => log.warn({ err }, 'delivery: claims are free only with our connection'))
      await connection.end({ timeout: 5 })
    }
  }
}

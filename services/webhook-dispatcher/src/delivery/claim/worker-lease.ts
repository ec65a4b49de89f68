import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'

/** The class of the advisory locks that living workers hold; the second number of a lock is the worker's id. */
export const WORKER_LOCKS = 0x77_68_64
/** How long a worker has to take its lock again after it lost its connection: Postgres may have restarted. */
export const LOCK_GRACE_MS = 2000
/** Between attempts while the worker has no id, or no lock. */
const RETRY_MS = 200
/** The worker itself must see the end of its lease, or of the grace, before the others do. */
const TRUSTED_SHARE = 0.8

type WorkerLeaseOptions = {
  /** Opens one connection that is never recycled and reconnects at once; `onLost` is called when it is lost. */
  openConnection: (onLost: () => void) => RawSql
  leaseMs: number
  log: FastifyBaseLogger
}

export type WorkerLease = {
  /** The id under which this process claims; undefined while no lease is certain to hold. */
  readonly workerId: number | undefined
  start (): Promise<void>
  /** To be called when the answer to a claim was lost: releases whatever it claimed, and takes a new id. */
  abandon (): void
  stop (): Promise<void>
}

/**
 * This process as a worker. A claim in a delivery's row is the id of a worker,
 * and holds while that worker's lease does: however much a process holds, it
 * renews one row. An expired or abandoned id is never reused; it serves as a
 * fencing token for the rows that it claimed.
 *
 * The lease covers what nobody notices: a lost machine, a hanging process. When
 * a process ends, its connections close and its advisory lock is released,
 * which the others see at once (dead-worker-reaper.ts). A process that only lost
 * its connection stops in time, or takes its lock again and keeps its id.
 */
export function createWorkerLease ({ openConnection, leaseMs, log }: WorkerLeaseOptions): WorkerLease {
  const connection = openConnection(onLost)
  let id: number | undefined
  let validUntil = 0
  /** How often the connection was lost: the answer to a statement sent before a loss proves nothing after it. */
  let connectionLosses = 0
  let hasLock = false
  let abandoned: number[] = []
  let timer: NodeJS.Timeout | undefined
  let renewing: Promise<void> | undefined
  let isStopped = false

  function onLost (): void {
    connectionLosses++
    hasLock = false
    validUntil = Math.min(validUntil, performance.now() + LOCK_GRACE_MS * TRUSTED_SHARE)
    renewIn(0)
  }

  async function renewOrRegister (): Promise<void> {
    // The lease is counted from before the statements.
    const since = performance.now()
    const seen = connectionLosses
    try {
      await deleteAbandoned()
      const renewed = id === undefined ? undefined : await renew(id)
      const mine = renewed ?? await register()
      // Abandoned, or the connection lost, meanwhile: the renewal that follows handles it.
      id = abandoned.includes(mine) ? undefined : mine
      if (connectionLosses !== seen) return
      hasLock = true
      validUntil = since + leaseMs * TRUSTED_SHARE
    } catch (err) {
      log.warn({ err }, 'delivery: the lease could not be renewed')
    }
  }

  async function renew (mine: number): Promise<number | undefined> {
    if (!hasLock) await connection`select pg_advisory_lock(${WORKER_LOCKS}, ${mine}::int)::text`
    const [row] = await connection<{ id: number }[]>`
      update webhooks.workers set lease_until = now() + ${leaseMs}::int * interval '1 ms'
      where id = ${mine} and lease_until > now() returning id`
    return row?.id
  }

  /** The lock is taken before the row becomes visible to others. */
  async function register (): Promise<number> {
    const [row] = await connection<{ id: number }[]>`
      with registered as (
        insert into webhooks.workers (host, lease_until, has_lock)
        values (${`${hostname()}:${process.pid}`}, now() + ${leaseMs}::int * interval '1 ms', true) returning id
      )
      select id, pg_advisory_lock(${WORKER_LOCKS}, id::int)::text from registered`
    return (row as { id: number }).id
  }

  async function deleteAbandoned (): Promise<void> {
    const deleted = abandoned
    if (deleted.length === 0) return
    await connection`delete from webhooks.workers where id = any(${deleted}::bigint[])`
    abandoned = abandoned.slice(deleted.length) // one may have been added meanwhile
  }

  /** One renewal at a time: a second one follows the one in progress. */
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
    get workerId () { return performance.now() < validUntil ? id : undefined },
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
      await deleteAbandoned().catch(
        (err: unknown) => log.warn({ err }, 'delivery: claims are released only when the connection closes')
      )
      await connection.end({ timeout: 5 })
    }
  }
}

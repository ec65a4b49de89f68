import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { StepTimeout, type Loops, type RawSql } from '@tidings/service-kit'
import { readTimeline } from '../../db/timeline.ts'

/** The class of the advisory locks that living workers hold; the second number of a lock is the worker's id. */
export const WORKER_LOCKS = 0x77_68_64
/** How long a worker has to take its lock again after it lost its connection: Postgres may have restarted. */
export const LOCK_GRACE_MS = 2000
/** Between attempts while the worker has no id, or no lock. */
const RETRY_MS = 200
/** The worker itself must see the end of its lease, or of the grace, before the others do. */
const TRUSTED_SHARE = 0.8
/** Of a renewal: more than a connect and two statements take that reach their timeouts, and longer than a lease. */
const TIMEOUT_MS = 30_000

type WorkerLeaseOptions = {
  /** Opens one connection that is never recycled and reconnects at once; `onLost` is called when it is lost. */
  openConnection: (onLost: () => void) => RawSql
  leaseMs: number
  /** Called when Postgres may have come back without what was committed last: what is known of its rows is outdated. */
  onRestored: () => void
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
  timeoutMs?: number
}

export type WorkerLease = {
  /** The id under which this process claims; undefined while no lease is certain to hold. */
  readonly workerId: number | undefined
  start (): Promise<void>
  /** To be called when the answer to a claim was lost: releases whatever it claimed, and takes a new id. */
  abandon (): void
  stop (): Promise<void>
}

type LeaseState =
  /** Without an id: not registered yet, or the id was abandoned. */
  | { is: 'none' }
  /** The lease and the lock are held; `until` by the monotonic clock. */
  | { is: 'held', id: number, until: number }
  /** The connection was lost, and the lock with it: it is to be taken again by `until`. */
  | { is: 'unlocked', id: number, until: number }
  | { is: 'stopped' }

/**
 * This process as a worker. A claim in a delivery's row is the id of a worker,
 * and holds while that worker's lease does: however much a process holds, it
 * renews one row. An expired or abandoned id is never reused; it serves as a
 * fencing token for the rows that it claimed.
 *
 * The lease covers what nobody notices: a lost machine, a hanging process. When
 * a process ends, its connections close and its advisory lock is released,
 * which the others see at once (dead-worker-reaper.ts). A process that only lost
 * its connection stops in time, or takes its lock again and keeps its id. Where a
 * statement never ends, its connection is given up like a lost one.
 *
 * Not in a Postgres that a promoted standby has replaced: there rows may be claimed by this id whose outcomes are lost,
 * and its sequences may give out numbers again. The id is abandoned, which releases them.
 */
export function createWorkerLease (
  { openConnection, leaseMs, onRestored, loops, log, timeoutMs = TIMEOUT_MS }: WorkerLeaseOptions
): WorkerLease {
  const host = `${hostname()}:${process.pid}`
  const loop = loops.watch('lease of this worker', timeoutMs)
  let connection = connect()
  let lease: LeaseState = { is: 'none' }
  /** How often the connection was lost: the answer to a statement sent before a loss proves nothing after it. */
  let connectionLosses = 0
  let abandoned: number[] = []
  let timeline: string | undefined
  let timer: NodeJS.Timeout | undefined
  let renewing: Promise<void> | undefined

  function connect (): RawSql {
    const opened = openConnection(() => { if (opened === connection) onLost() })
    return opened
  }

  /** With its lock: whatever a statement on it still does, the others see its worker as dead. */
  function replaceConnection (): void {
    connection.end({ timeout: 0 }).catch((err: unknown) => log.debug({ err }, 'delivery: a connection was not closed'))
    connection = connect()
    onLost()
  }

  function onLost (): void {
    connectionLosses++
    lease = afterLoss(lease, performance.now())
    renewIn(0)
  }

  async function renewOrRegister (): Promise<void> {
    if (lease.is === 'stopped') return
    // The lease is counted from before the statements.
    const since = performance.now()
    const seen = connectionLosses
    try {
      const id = await loop.step(async () => {
        if (lease.is !== 'held') await leaveIfRestored()
        await deleteAbandoned()
        return await renew() ?? await register()
      })
      const until = since + leaseMs * TRUSTED_SHARE
      hold(id, seen === connectionLosses ? { is: 'held', id, until } : { is: 'unlocked', id, until: since })
    } catch (err) {
      log.warn({ err }, 'delivery: the lease could not be renewed')
      if (err instanceof StepTimeout) replaceConnection()
    }
  }

  async function leaveIfRestored (): Promise<void> {
    const asked = connection
    const now = await readTimeline(asked)
    if (asked !== connection) throw new Error('The connection of the lease was given up')
    const before = timeline
    timeline = now
    if (before === undefined || before === now || lease.is === 'stopped') return
    log.warn({ before, now }, 'delivery: another Postgres has taken over; all that is not recorded there is done again')
    leave({ is: 'none' })
    onRestored()
  }

  /** Extends the lease, and takes the lock again where the connection was lost; undefined where it has expired. */
  async function renew (): Promise<number | undefined> {
    if (lease.is === 'none' || lease.is === 'stopped') return undefined
    const { id } = lease
    if (lease.is === 'unlocked') await connection`select pg_advisory_lock(${WORKER_LOCKS}, ${id}::int)::text`
    const [row] = await connection<{ id: number }[]>`
      update webhooks.workers set lease_until = now() + ${leaseMs}::int * interval '1 ms'
      where id = ${id} and lease_until > now() returning id`
    return row?.id
  }

  /** The lock is taken before the row becomes visible to others. */
  async function register (): Promise<number> {
    const [row] = await connection<{ id: number }[]>`
      with registered as (
        insert into webhooks.workers (host, lease_until, has_lock, reads_parts)
        values (${host}, now() + ${leaseMs}::int * interval '1 ms', true, true) returning id
      )
      select id, pg_advisory_lock(${WORKER_LOCKS}, id::int)::text from registered`
    return (row as { id: number }).id
  }

  /** Takes the result of a renewal, unless the id was abandoned, or its connection lost, meanwhile. */
  function hold (id: number, renewed: LeaseState): void {
    if (abandoned.includes(id)) return
    switch (lease.is) {
      case 'none':
      case 'held':
        lease = renewed
        break
      case 'unlocked':
        // Where the connection was lost again, the former lease is trusted no longer than it was.
        if (renewed.is === 'held' || lease.id !== id) lease = renewed
        break
      case 'stopped':
        abandoned = [...abandoned, id]
        break
      default: lease satisfies never
    }
  }

  async function deleteAbandoned (): Promise<void> {
    const deleted = abandoned
    if (deleted.length === 0) return
    // Of a Postgres that has lost its newest state another worker may have the number by now.
    await connection`delete from webhooks.workers where id = any(${deleted}::bigint[]) and host = ${host}`
    abandoned = abandoned.filter(id => !deleted.includes(id)) // one may have been added meanwhile
  }

  /** One renewal at a time: a second one follows the one in progress. */
  function renewIn (inMs: number): void {
    clearTimeout(timer)
    if (lease.is === 'stopped') return
    timer = setTimeout(() => {
      renewing = (renewing ?? Promise.resolve()).then(renewAndSchedule)
    }, inMs)
  }

  async function renewAndSchedule (): Promise<void> {
    await renewOrRegister()
    renewIn(lease.is === 'held' ? leaseMs / 3 : Math.min(RETRY_MS, leaseMs / 3))
  }

  /** Gives up the id, if there is one: its row is deleted with the next renewal. */
  function leave (next: LeaseState): void {
    if (lease.is === 'held' || lease.is === 'unlocked') abandoned = [...abandoned, lease.id]
    lease = next
  }

  return {
    get workerId () { return trustedId(lease, performance.now()) },
    start () {
      renewing = renewAndSchedule()
      return renewing
    },
    abandon () {
      if (lease.is !== 'held' && lease.is !== 'unlocked') return
      leave({ is: 'none' })
      renewIn(0)
    },
    async stop () {
      clearTimeout(timer)
      leave({ is: 'stopped' })
      await renewing
      await deleteAbandoned().catch(
        (err: unknown) => log.warn({ err }, 'delivery: claims are released only when the connection closes')
      )
      await connection.end({ timeout: 5 })
    }
  }
}

/** The id under which this process may claim at this time. */
function trustedId (lease: LeaseState, now: number): number | undefined {
  switch (lease.is) {
    case 'held':
    case 'unlocked': return now < lease.until ? lease.id : undefined
    case 'none':
    case 'stopped': return undefined
    default: return lease satisfies never
  }
}

/** With the connection the lock is lost: the others take the claims after a grace. */
function afterLoss (lease: LeaseState, now: number): LeaseState {
  switch (lease.is) {
    case 'held':
    case 'unlocked': {
      const { id, until } = lease
      return { is: 'unlocked', id, until: Math.min(until, now + LOCK_GRACE_MS * TRUSTED_SHARE) }
    }
    case 'none':
    case 'stopped': return lease
    default: return lease satisfies never
  }
}

import { hostname } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import type { RawSql } from '@tidings/service-kit'

type ClaimantOptions = { sql: RawSql, leaseMs: number, log: FastifyBaseLogger }

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
 */
export function createClaimant ({ sql, leaseMs, log }: ClaimantOptions): Claimant {
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

  async function register (): Promise<number | undefined> {
    const [row] = await sql<{ id: number }[]>`
      insert into webhooks.claimants (host, lease_until)
      values (${`${hostname()}:${process.pid}`}, now() + ${leaseMs}::int * interval '1 ms') returning id`
    return row?.id
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
      await dropForsaken().catch((err: unknown) => log.warn({ err }, 'delivery: claims are free only when the lease ends'))
    }
  }
}

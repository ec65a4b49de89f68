import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { consume, isNewer, type EventId, type StreamConsumer, type UnsupportedJobEvent } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { LAST_WRITE_MS, type Delivery } from '../delivery/pipeline.ts'
import type { TargetsOf } from './job-webhooks.ts'
import type { IngestMetrics } from './metrics.ts'
import { createSession, type Session } from './shard-consumer.ts'
import { acquireShard, prepareShards, releaseShard, shardOf } from './shards.ts'

/** How often a replica looks for shards that nobody holds, and whether it still holds its own. */
const LOOK_MS = 500

/** How long a replica that met an event of a newer release leaves all shards to others. */
const HALT_MS = 5000

/** Each batch asks Postgres twice before it posts. */
const LINGER_MS = 5

type IngestOptions = {
  sql: RawSql
  redis: Redis
  shards: number
  delivery: Delivery
  targetsOf: TargetsOf
  metrics: IngestMetrics
  log: FastifyBaseLogger
}

type Active = { follower: StreamConsumer, session: Session }

export type Ingest = ReturnType<typeof createIngest>

/** Runs the shards that this replica holds. */
export function createIngest ({ sql, redis, shards, delivery, targetsOf, metrics, log }: IngestOptions) {
  const { claimant } = delivery
  const active = new Map<number, Active>()
  let isPrepared = false
  let halted: { fault: UnsupportedJobEvent, shard: number, until: number } | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  async function look (): Promise<void> {
    try {
      if (!isPrepared) await prepareShards(sql, shards)
      isPrepared = true
      await giveBack()
      await acquireOne()
      if (halted && performance.now() >= halted.until && await isPast(halted)) halted = undefined
    } catch (err) {
      log.warn({ err }, 'ingest: positions could not be read')
    }
    if (!stopped) timer = setTimeout(() => { looking = look() }, LOOK_MS)
  }

  /**
   * In the middle of a deployment: a replica of the newer release can read on
   * where this one can't. It gets the shard once all that was posted is written.
   */
  async function giveBack (): Promise<void> {
    for (const [shard, { follower, session }] of active) {
      if (!follower.halted) continue
      await follower.stop()
      await session.drain(LAST_WRITE_MS)
      await releaseShard(sql, shard, session.claim)
      active.delete(shard)
      log.warn({ shard }, 'ingest: shard given back')
    }
  }

  /** Whether the shard is read on where it was halted: by this replica, or by another one. */
  async function isPast ({ fault: { eventId }, shard }: { fault: UnsupportedJobEvent, shard: number }): Promise<boolean> {
    const follower = active.get(shard)?.follower
    if (follower) return follower.lastReplyAt > 0 && !follower.fault
    const [row] = await sql<EventId[]>`select event_ms as ms, event_seq as seq from webhooks.positions where shard = ${shard}`
    return row !== undefined && !isNewer(eventId, row)
  }

  /** One a look, so that replicas that start together share. */
  async function acquireOne (): Promise<void> {
    const claim = claimant.id
    if (claim === undefined) return
    for (const { session } of active.values()) if (session.claim !== claim) session.lose()
    if (halted && performance.now() < halted.until) return // until then it would only be stopped again
    for (let shard = 0; shard < shards; shard++) {
      if (active.has(shard)) continue
      const position = await acquireShard(sql, { shard, shards, claim })
      if (position) return begin(createSession({ shard, isOurs: userId => shardOf(userId, shards) === shard, claim, position, sql, delivery, targetsOf, metrics, log }))
    }
  }

  function begin (session: Session): void {
    const follower = consume({
      redis,
      lingerMs: LINGER_MS,
      position: () => session.position,
      onBatch: session.onBatch,
      onGap: session.onGap,
      onHalted: fault => { halted = { fault, shard: session.shard, until: performance.now() + HALT_MS } },
      log
    })
    active.set(session.shard, { follower, session })
    log.info({ shard: session.shard }, 'ingest: shard taken')
    session.lost
      .then(() => follower.stop())
      .then(() => {
        active.delete(session.shard)
        log.info({ shard: session.shard }, 'ingest: shard lost')
      })
      .catch((err: unknown) => log.error({ err }, 'ingest: shard not given up cleanly'))
  }

  return {
    get activeShards (): number { return active.size },
    /** The shards that this replica reads. */
    get shards (): number[] { return [...active.keys()] },
    /** Why reading or writing failed last, of any of them. */
    get fault (): Error | undefined {
      return [...active.values()].map(({ follower, session }) => session.fault ?? follower.fault).find(fault => fault !== undefined)
    },
    /** Set while an event of a version that this release does not know stops a shard: it is given back, and none taken for a while. */
    get halted (): Error | undefined { return halted?.fault },
    async start (this: void): Promise<void> { looking = look() },
    /** Reads no more, and resolves when all that was posted is written. */
    async stop (this: void): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await looking
      await Promise.all([...active.values()].map(async ({ follower, session }) => {
        await follower.stop()
        await session.drain(LAST_WRITE_MS)
      }))
    }
  }
}

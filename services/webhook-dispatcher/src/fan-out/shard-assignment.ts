import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { consume, isNewer, type EventId, type StreamConsumer, type UnsupportedJobEvent } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { LAST_WRITE_MS, type DeliveryPipeline } from '../delivery/pipeline.ts'
import type { FindTargets } from './job-webhooks.ts'
import type { FanOutMetrics } from './metrics.ts'
import { createShardConsumer, type ShardConsumer } from './shard-consumer.ts'
import { acquireShard, prepareShards, releaseShard, shardOf } from './shards.ts'

/** How often a replica looks for shards that nobody holds, and whether it still holds its own. */
const CHECK_MS = 500

/** How long a replica that met an event of a newer release leaves all shards to others. */
const HALT_MS = 5000

/** Each batch asks Postgres twice before it posts. */
const LINGER_MS = 5

type ShardAssignmentOptions = {
  sql: RawSql
  redis: Redis
  shards: number
  pipeline: DeliveryPipeline
  findTargets: FindTargets
  metrics: FanOutMetrics
  log: FastifyBaseLogger
}

type ActiveShard = { streamConsumer: StreamConsumer, shardConsumer: ShardConsumer }

export type ShardAssignment = ReturnType<typeof createShardAssignment>

/** Runs the shards that this replica holds. */
export function createShardAssignment ({ sql, redis, shards, pipeline, findTargets, metrics, log }: ShardAssignmentOptions) {
  const { lease } = pipeline
  const active = new Map<number, ActiveShard>()
  let isPrepared = false
  let halted: { fault: UnsupportedJobEvent, shard: number, until: number } | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()

  async function check (): Promise<void> {
    try {
      if (!isPrepared) await prepareShards(sql, shards)
      isPrepared = true
      await releaseHalted()
      await acquireOne()
      if (halted && performance.now() >= halted.until && await isPast(halted)) halted = undefined
    } catch (err) {
      log.warn({ err }, 'ingest: positions could not be read')
    }
    if (!stopped) timer = setTimeout(() => { checking = check() }, CHECK_MS)
  }

  /**
   * In the middle of a deployment: a replica of the newer release can read on
   * where this one can't. It gets the shard once all that was posted is written.
   */
  async function releaseHalted (): Promise<void> {
    for (const [shard, { streamConsumer, shardConsumer }] of active) {
      if (!streamConsumer.halted) continue
      await streamConsumer.stop()
      await shardConsumer.drain(LAST_WRITE_MS)
      await releaseShard(sql, shard, shardConsumer.workerId)
      active.delete(shard)
      log.warn({ shard }, 'ingest: shard given back')
    }
  }

  /** Whether the shard is read on where it was halted: by this replica, or by another one. */
  async function isPast ({ fault: { eventId }, shard }: { fault: UnsupportedJobEvent, shard: number }): Promise<boolean> {
    const streamConsumer = active.get(shard)?.streamConsumer
    if (streamConsumer) return streamConsumer.lastReplyAt > 0 && !streamConsumer.fault
    const [row] = await sql<EventId[]>`select event_ms as ms, event_seq as seq from webhooks.positions where shard = ${shard}`
    return row !== undefined && !isNewer(eventId, row)
  }

  /** One a look, so that replicas that start together share. */
  async function acquireOne (): Promise<void> {
    const { workerId } = lease
    if (workerId === undefined) return
    for (const { shardConsumer } of active.values()) if (shardConsumer.workerId !== workerId) shardConsumer.stop()
    if (halted && performance.now() < halted.until) return // until then it would only be stopped again
    for (let shard = 0; shard < shards; shard++) {
      if (active.has(shard)) continue
      const position = await acquireShard(sql, { shard, shards, workerId })
      if (position) return consumeShard(createShardConsumer({ shard, isOurs: userId => shardOf(userId, shards) === shard, workerId, position, sql, pipeline, findTargets, metrics, log }))
    }
  }

  function consumeShard (shardConsumer: ShardConsumer): void {
    const streamConsumer = consume({
      redis,
      lingerMs: LINGER_MS,
      position: () => shardConsumer.position,
      onBatch: shardConsumer.onBatch,
      onGap: shardConsumer.onGap,
      onHalted: fault => { halted = { fault, shard: shardConsumer.shard, until: performance.now() + HALT_MS } },
      log
    })
    active.set(shardConsumer.shard, { streamConsumer, shardConsumer })
    log.info({ shard: shardConsumer.shard }, 'ingest: shard taken')
    shardConsumer.lost
      .then(() => streamConsumer.stop())
      .then(() => {
        active.delete(shardConsumer.shard)
        log.info({ shard: shardConsumer.shard }, 'ingest: shard lost')
      })
      .catch((err: unknown) => log.error({ err }, 'ingest: shard not given up cleanly'))
  }

  return {
    get activeShards (): number { return active.size },
    /** The shards that this replica reads. */
    get shards (): number[] { return [...active.keys()] },
    /** Why reading or writing failed last, of any of them. */
    get fault (): Error | undefined {
      return [...active.values()].map(({ streamConsumer, shardConsumer }) => shardConsumer.fault ?? streamConsumer.fault).find(fault => fault !== undefined)
    },
    /** Set while an event of a version that this release does not know stops a shard: it is given back, and none taken for a while. */
    get halted (): Error | undefined { return halted?.fault },
    async start (this: void): Promise<void> { checking = check() },
    /** Reads no more, and resolves when all that was posted is written. */
    async stop (this: void): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await checking
      await Promise.all([...active.values()].map(async ({ streamConsumer, shardConsumer }) => {
        await streamConsumer.stop()
        await shardConsumer.drain(LAST_WRITE_MS)
      }))
    }
  }
}

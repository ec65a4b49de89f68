import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { consume, isNewer, type EventId, type StreamConsumer, type UnsupportedJobEvent } from '@tidings/job-events'
import { limitStep, type Loops, type RawSql } from '@tidings/service-kit'
import { LAST_WRITE_MS, type DeliveryPipeline } from '../delivery/pipeline.ts'
import type { FindTargets } from './job-webhooks.ts'
import type { FanOutMetrics } from './metrics.ts'
import { createShardConsumer, type ShardConsumer } from './shard-consumer.ts'
import { acquireShard, prepareShards, releaseShard, shardOf } from './shards.ts'

/** How often a replica looks for free shards, and checks that it still holds its own. */
const CHECK_MS = 500

/** How long a replica that read an event of a newer release leaves all shards to others. */
const HALT_MS = 5000

/** Each batch reads from Postgres twice before its first attempt. */
const LINGER_MS = 5

type ShardAssignmentOptions = {
  sql: RawSql
  redis: Redis
  shards: number
  pipeline: DeliveryPipeline
  findTargets: FindTargets
  metrics: FanOutMetrics
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
}

type ActiveShard = { streamConsumer: StreamConsumer, shardConsumer: ShardConsumer }

/** Acquires shards for this replica and consumes them. */
export function createShardAssignment (options: ShardAssignmentOptions) {
  const { sql, redis, shards, pipeline, findTargets, metrics, loops, log } = options
  const { lease } = pipeline
  const loop = loops.watch('shards of fan-out')
  const active = new Map<number, ActiveShard>()
  /** The worker id under which the rows of the positions were prepared: a restored Postgres may have none. */
  let preparedFor: number | undefined
  let halted: { fault: UnsupportedJobEvent, shard: number, until: number } | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()

  async function check (): Promise<void> {
    try {
      await loop.step(checkOnce)
    } catch (err) {
      log.warn({ err }, 'fan-out: positions could not be read')
    }
    if (!stopped) timer = setTimeout(() => { checking = check() }, CHECK_MS)
  }

  /**
   * Each statement is limited by itself, so that nothing of a check goes on beside the next one: the shard that a late
   * statement acquires is acquired again, under the same worker id.
   */
  async function checkOnce (): Promise<void> {
    const { workerId } = lease
    if (workerId !== preparedFor) await limitStep(prepareShards(sql, shards))
    preparedFor = workerId
    await releaseHalted()
    await acquireOne()
    if (halted && performance.now() >= halted.until && await isPast(halted)) halted = undefined
  }

  /**
   * During a rolling upgrade: a replica of the newer release can go on where
   * this one can't. It gets the shard once the outcomes of this one are written.
   */
  async function releaseHalted (): Promise<void> {
    for (const [shard, { streamConsumer, shardConsumer }] of active) {
      if (!streamConsumer.halted) continue
      await streamConsumer.stop()
      await shardConsumer.drain(LAST_WRITE_MS)
      await limitStep(releaseShard(sql, shard, shardConsumer.workerId))
      active.delete(shard)
      log.warn({ shard }, 'fan-out: shard released to a newer release')
    }
  }

  /** Whether the shard has passed the event that halted it: in this replica, or in another one. */
  async function isPast (
    { fault: { eventId }, shard }: { fault: UnsupportedJobEvent, shard: number }
  ): Promise<boolean> {
    const streamConsumer = active.get(shard)?.streamConsumer
    if (streamConsumer) return streamConsumer.lastReplyAt > 0 && !streamConsumer.fault
    const [row] = await limitStep(sql<EventId[]>`
      select event_ms as ms, event_seq as seq from webhooks.shard_positions where shard = ${shard}`)
    return row !== undefined && !isNewer(eventId, row)
  }

  /** One shard per check, so that replicas that start together share them. */
  async function acquireOne (): Promise<void> {
    const { workerId } = lease
    if (workerId === undefined) return
    for (const { shardConsumer } of active.values()) if (shardConsumer.workerId !== workerId) shardConsumer.stop()
    if (halted && performance.now() < halted.until) return // until then a shard would only halt again
    for (let shard = 0; shard < shards; shard++) {
      if (active.has(shard)) continue
      const position = await limitStep(acquireShard(sql, { shard, shards, workerId }))
      if (!position) continue
      const isOurs = (userId: string) => shardOf(userId, shards) === shard
      return consumeShard(createShardConsumer({
        shard, isOurs, workerId, position, sql, pipeline, findTargets, metrics, log
      }))
    }
  }

  function consumeShard (shardConsumer: ShardConsumer): void {
    const streamConsumer = consume({
      redis,
      lingerMs: LINGER_MS,
      position: () => shardConsumer.position,
      whenReady: shardConsumer.whenReady,
      onBatch: shardConsumer.onBatch,
      onGap: shardConsumer.onGap,
      onHalted: fault => { halted = { fault, shard: shardConsumer.shard, until: performance.now() + HALT_MS } },
      log
    })
    active.set(shardConsumer.shard, { streamConsumer, shardConsumer })
    log.info({ shard: shardConsumer.shard }, 'fan-out: shard acquired')
    shardConsumer.lost
      .then(() => streamConsumer.stop())
      .then(() => {
        active.delete(shardConsumer.shard)
        log.info({ shard: shardConsumer.shard }, 'fan-out: shard lost')
      })
      .catch((err: unknown) => log.error({ err }, 'fan-out: a lost shard could not be closed cleanly'))
  }

  return {
    get activeShards (): number { return active.size },
    /** The shards that this replica reads. */
    get shards (): number[] { return [...active.keys()] },
    /** Why the last read or write failed, in any of them. */
    get fault (): Error | undefined {
      return [...active.values()]
        .map(({ streamConsumer, shardConsumer }) => shardConsumer.fault ?? streamConsumer.fault)
        .find(fault => fault !== undefined)
    },
    /** Set while an event of a newer release halts a shard: the shard is released, and none is acquired for a while. */
    get halted (): Error | undefined { return halted?.fault },
    async start (this: void): Promise<void> { checking = check() },
    /** Stops reading; resolves when all outcomes are written. */
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

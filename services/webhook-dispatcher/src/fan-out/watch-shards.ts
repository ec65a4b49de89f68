import type { Redis } from 'ioredis'
import { formatEventId, hasNewer, type EventId } from '@tidings/job-events'
import { watchForStall, type RawSql, type StallOptions, type StallWatch } from '@tidings/service-kit'

type WatchOptions = Pick<StallOptions, 'reason' | 'log' | 'timeoutMs'> & {
  shards: () => number[], sql: RawSql, redis: Redis
}

/** Watches the positions of this replica's shards in Postgres: an event that was read counts once it is written. */
export function watchShards ({ shards, sql, redis, ...options }: WatchOptions): StallWatch {
  const positions = async () => await sql<(EventId & { shard: number })[]>`
    select shard, event_ms as ms, event_seq as seq from webhooks.shard_positions where shard = any(${shards()}::int[]) order by event_ms, event_seq`

  return watchForStall({
    what: 'fan-out',
    async position () {
      const [slowest] = await positions()
      return slowest ? `${slowest.shard} ${formatEventId(slowest)}` : ''
    },
    async isBehind () {
      const [slowest] = await positions()
      return slowest !== undefined && await hasNewer(redis, slowest)
    },
    ...options
  })
}

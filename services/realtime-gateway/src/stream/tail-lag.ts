import type { Redis } from 'ioredis'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { eventIdOf, isNewer, type EventId } from '@tidings/job-events'
import type { Metrics } from '../metrics.ts'
import type { StreamTail } from './stream-tail.ts'

const PROBE_MS = 1000

/**
 * Measures for how long the stream has had an event that the tail has not delivered. While Redis does not answer, the
 * lag counts as zero: Redis is away for all replicas.
 */
export function measureTailLag ({ redis, tail, metrics }: { redis: Redis, tail: StreamTail, metrics: Metrics }) {
  let ahead: { id: EventId, since: number } | undefined
  const timer = setInterval(() => {
    probe().catch(() => { ahead = undefined }).finally(() => metrics.tailLag.set(seconds()))
  }, PROBE_MS).unref()

  async function probe () {
    if (ahead && isNewer(ahead.id, tail.position)) return
    // The newest entry, not the last generated id: that one may belong to no event.
    const newest = (await redis.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1))[0]
    ahead = newest && { id: eventIdOf(newest[0]), since: Date.now() }
  }

  function seconds (): number {
    return ahead && isNewer(ahead.id, tail.position) ? (Date.now() - ahead.since) / 1000 : 0
  }

  return { get seconds () { return seconds() }, stop: () => clearInterval(timer) }
}

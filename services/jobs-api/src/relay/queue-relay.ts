import type { FastifyInstance } from 'fastify'
import { newest, ZERO, type StreamWriter } from '@tidings/job-events'
import { queueEventsKey, queuePrefix } from '../bullmq/queue-keys.ts'
import { createAttemptErrors } from './attempts/attempt-errors.ts'
import { markLostEnds } from './lost-ends/mark-lost-ends.ts'
import { RecentEnds } from './lost-ends/recent-ends.ts'
import { republishLostEnds } from './lost-ends/republish-lost-ends.ts'
import type { ReconcileRequests } from './mapping/reconcile-requests.ts'
import { createEventMapper } from './mapping/to-job-events.ts'
import { createOwnerResolver } from './ownership/owner-resolver.ts'
import { createRelay, type Relay } from './relay-loop.ts'
import { readRelayState, requestReconcile, saveGap, saveRunId } from './relay-state.ts'
import { isBulkRemoval, type BullmqEvent } from './source/bullmq-event.ts'
import { openEventReader, type BullmqEventReader } from './source/bullmq-event-reader.ts'
import type { Advance } from './source/detect-gap.ts'

/** How long an owner lookup waits for the projection, whose rows it needs. */
const PROJECTION_TIMEOUT_MS = 5000

/** The relay of one queue with everything that it needs. */
export function createQueueRelay (
  app: FastifyInstance, queue: string, stream: StreamWriter, reconcileRequests: ReconcileRequests
): Relay {
  const { redis, sql, projection, badItems, config, log, backgroundMetrics: metrics } = app
  const keys = app.findQueue(queue)
  const openReader = () => openEventReader({
    redis, key: queueEventsKey(keys), count: config.RELAY_BATCH, bytes: config.RELAY_BATCH_BYTES, log
  })
  const ownerResolver = createOwnerResolver({
    queue,
    prefix: queuePrefix(keys),
    sql,
    redis,
    size: config.OWNER_CACHE,
    onInvalidOwner,
    onUnreadable,
    waitForProjection
  })
  const attemptErrors = createAttemptErrors(redis, queuePrefix(keys))
  const toJobEvents = createEventMapper({
    queue, sql, ownerResolver, attemptErrors, reconcileRequests, badItems, metrics, log
  })
  let minimumIdAtConnect = ZERO
  const recentEnds = new RecentEnds()
  const minimumId = () => newest(recentEnds.lastId, newest(minimumIdAtConnect, projection.highest))

  return createRelay({
    queue, openReader, stream, toJobEvents, minimumId, prepare, onAdvance, recentEnds, metrics, log
  })

  async function prepare (reader: BullmqEventReader) {
    const { minimumId: minimum, loss } = await markLostEnds({ sql, stream, log })
    minimumIdAtConnect = minimum
    // With a loss, what it has lost is what the stream continues with.
    if (!loss) await stream.open(minimumId())
    await republishLostEnds({
      queue, sql, stream, hasEntry: reader.has, recentEnds, loss, minimumId: minimumId(), log
    })
    if (loss) await stream.open(minimumId())
    const [{ run, gap }, currentRun] = await Promise.all([readRelayState(redis, queue), reader.runId()])
    if (run !== currentRun) {
      log.info({ queue }, 'relay: Redis was restarted, open jobs will be compared with BullMQ')
      await saveRunId(redis, queue, currentRun)
    }
    ownerResolver.clear(gap ?? '0-0')
  }

  async function onAdvance ({ continuity, lost, entries, to }: Advance) {
    if (continuity !== 'contiguous') {
      const gap = entries[0]?.[0] ?? to.at
      await saveGap(redis, queue, gap)
      ownerResolver.clear(gap)
      if (continuity === 'first') log.info({ queue, before: lost }, 'relay: the queue is older than its relay')
      else log.error({ queue, continuity, lost }, 'relay: entries were trimmed before they were read')
      if (continuity === 'gap') metrics.lost.inc({ queue }, lost)
    }
    if (entries.some(isBulkRemoval)) await requestReconcile(redis, [queue])
  }

  function onInvalidOwner (entry: BullmqEvent, fault: string) {
    metrics.invalidOwners.inc({ queue })
    onUnreadable(entry, new RangeError(fault))
  }

  function onUnreadable ({ id, jobId }: BullmqEvent, err: Error) {
    badItems.report({ consumer: 'relay', queue, item: id, jobId, err })
  }

  async function waitForProjection () {
    const last = await stream.last()
    if (last && !await projection.waitFor(last, { timeoutMs: PROJECTION_TIMEOUT_MS })) {
      throw new Error('The projection is behind: the owners of these jobs cannot be looked up yet')
    }
    const { losses } = projection
    return () => projection.losses === losses
  }
}

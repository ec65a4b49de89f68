import type { FastifyInstance } from 'fastify'
import { newest, ZERO, type StreamWriter } from '@tidings/job-events'
import type { Step } from './source/detect-gap.ts'
import type { Doubts } from './reconcile-requests.ts'
import { createInterpreter } from './mapping/to-job-events.ts'
import { markLostEnds } from './mark-lost-ends.ts'
import { recall, rememberGap, rememberRun, suspect } from './relay-state.ts'
import { createOwners } from './ownership/owner-resolver.ts'
import { queueEventsKey, queuePrefix } from '../bullmq/queue-keys.ts'
import { isCleaning, type QueueEvent } from './source/bullmq-event.ts'
import { openReader, type QueueEventReader } from './source/bullmq-event-reader.ts'
import { createRelay, type Relay } from './relay-loop.ts'
import { RecentEnds } from './recent-ends.ts'
import { republishLostEnds } from './republish-lost-ends.ts'

/** How long a look-up waits for the projection, whose rows it needs. */
const CATCH_UP_TIMEOUT_MS = 5000

/** The relay of one queue with all that it needs. */
export function createQueueRelay (app: FastifyInstance, queue: string, stream: StreamWriter, doubts: Doubts): Relay {
  const { redis, sql, projected, badItems, config, log, engineMetrics: metrics } = app
  const keys = app.findQueue(queue)
  const open = () => openReader({ redis, key: queueEventsKey(keys), count: config.RELAY_BATCH, bytes: config.RELAY_BATCH_BYTES, log })
  const owners = createOwners({ queue, prefix: queuePrefix(keys), sql, redis, size: config.OWNER_CACHE, onRefused, caughtUp, onUnreadable })
  const interpret = createInterpreter({ queue, sql, owners, doubts, badItems, metrics, log })
  let floorAtConnect = ZERO
  const recentEnds = new RecentEnds()
  const floor = () => newest(recentEnds.lastId, newest(floorAtConnect, projected.position))

  function onRefused (entry: QueueEvent, fault: string) {
    metrics.refusedOwners.inc({ queue })
    onUnreadable(entry, new RangeError(fault))
  }

  async function prepare (reader: QueueEventReader) {
    floorAtConnect = await markLostEnds({ sql, stream, log })
    await stream.open(floor())
    await republishLostEnds({ queue, stream, recentEnds, minimumId: floor(), log })
    const [{ run, gap }, runNow] = await Promise.all([recall(redis, queue), reader.runId()])
    if (run !== runNow) {
      log.info({ queue }, 'relay: another life of Redis, open jobs will be compared with BullMQ')
      await rememberRun(redis, queue, runNow)
    }
    owners.forget(gap ?? '0-0')
  }

  async function onStep ({ finding, lost, entries, to }: Step) {
    if (finding !== 'whole') {
      const gap = entries[0]?.[0] ?? to.at
      await rememberGap(redis, queue, gap)
      owners.forget(gap)
      if (finding === 'first') log.info({ queue, before: lost }, 'relay: the queue was there before')
      else log.error({ queue, finding, lost }, 'relay: entries were trimmed before they were read')
      if (finding === 'gap') metrics.lost.inc({ queue }, lost)
    }
    if (entries.some(isCleaning)) await suspect(redis, [queue])
  }

  function onUnreadable ({ id, jobId }: QueueEvent, err: Error) {
    badItems.note({ consumer: 'relay', queue, item: id, jobId, err })
  }

  async function caughtUp () {
    const last = await stream.last()
    if (last && !await projected.reached(last, { timeoutMs: CATCH_UP_TIMEOUT_MS })) {
      throw new Error('The projection is behind: whose a job is can\'t be asked yet')
    }
  }

  return createRelay({ queue, openReader: open, stream, interpret, floor, prepare, onStep, recentEnds, metrics, log })
}

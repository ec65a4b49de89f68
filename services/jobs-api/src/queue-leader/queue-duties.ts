import type { FastifyInstance } from 'fastify'
import type { StreamWriter } from '@tidings/job-events'
import { runPeriodically, type PeriodicTask } from '@tidings/service-kit'
import {
  reconcileAll, reconcileRequested, reconcileSilent, sweepOutbox, type ReconcileContext
} from '../reconcile/reconcile.ts'
import { createQueueRelay } from '../relay/queue-relay.ts'
import { createReconcileRequests } from '../relay/mapping/reconcile-requests.ts'
import { restoreEventRetention, trimRelayed } from '../relay/source/event-retention.ts'

const REQUEST_CHECK_MS = 500
const RETENTION_CHECK_MS = 1000

/**
 * The duties of a queue's leader: relay, outbox, reconciliation, and the retention of BullMQ's events. `work` runs
 * until the signal aborts; `fault` is the reason why the relay does not advance.
 */
export function createQueueDuties (app: FastifyInstance, name: string, stream: StreamWriter) {
  const { redis, sql, projection, badItems, config, log, loops, backgroundMetrics: metrics } = app
  const reconcileRequests = createReconcileRequests()
  const relay = createQueueRelay(app, name, stream, reconcileRequests)
  const context: ReconcileContext = {
    queue: app.findQueue(name),
    redis,
    sql,
    relay,
    reconcileRequests,
    stream,
    projection,
    minimumId: () => projection.highest,
    badItems,
    metrics,
    log,
    lostJobs: config.LOST_JOBS
  }

  return { work, fault: () => relay.fault?.message }

  async function work (signal: AbortSignal): Promise<void> {
    const every = (what: string, everyMs: number, run: PeriodicTask['run']) =>
      runPeriodically({ name: `${what} of ${name}`, everyMs, run }, { signal, log, loops })
    await Promise.all([
      relay.run(signal),
      every('outbox', config.SWEEP_INTERVAL_MS, async run =>
        await sweepOutbox(config.SWEEP_AGE_MS, context, run)),
      every('removed jobs', REQUEST_CHECK_MS, async run => await reconcileRequested(context, run)),
      every('reconciliation', REQUEST_CHECK_MS, async run => await reconcileAll(context, run)),
      every('silent jobs', config.RECONCILE_INTERVAL_MS, async run =>
        await reconcileSilent(config.RECONCILE_SILENT_MS, context, run)),
      every('event retention', RETENTION_CHECK_MS, keepRetention),
      every('trimming', config.RELAY_TRIM_MS, trim)
    ])
  }

  async function keepRetention () {
    const limit = config.RELAY_EVENTS_AHEAD
    const isRestored = await restoreEventRetention(redis, context.queue, limit)
    if (isRestored) log.info({ queue: name, limit }, 'relay: BullMQ\'s limit of events restored')
  }

  async function trim () {
    await trimRelayed(redis, context.queue, await stream.position(name), config.RELAY_EVENTS_BEHIND)
    metrics.trimmed.inc({ queue: name }, await stream.trimToSize())
  }
}

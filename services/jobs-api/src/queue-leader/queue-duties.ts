import type { FastifyInstance } from 'fastify'
import type { StreamWriter } from '@tidings/job-events'
import { reconcileDoubts, reconcileSilent, reconcileSuspected, sweepOutbox, type ReconcileContext } from '../reconcile/reconcile.ts'
import { repeat } from '../repeat.ts'
import { repairCap, trimBehind } from '../relay/source/event-retention.ts'
import { createDoubts } from '../relay/reconcile-requests.ts'
import { createQueueRelay } from '../relay/queue-relay.ts'

const SUSPICION_CHECK_MS = 500
const CAP_CHECK_MS = 1000

/** All that the replica which holds a queue does for it, until the signal aborts; and why its relay does not move. */
export function queueWork (app: FastifyInstance, name: string, stream: StreamWriter) {
  const { redis, sql, projected, badItems, config, log, engineMetrics: metrics } = app
  const doubts = createDoubts()
  const relay = createQueueRelay(app, name, stream, doubts)
  const context: ReconcileContext = {
    queue: app.findQueue(name), redis, sql, relay, doubts, stream, projected, floor: () => projected.position, badItems, metrics, log, lostJobs: config.LOST_JOBS
  }

  return { work, fault: () => relay.fault?.message }

  async function work (signal: AbortSignal): Promise<void> {
    const every = (what: string, everyMs: number, task: () => Promise<void>) => repeat({ what: `${what} of ${name}`, everyMs, task, signal, log })
    await Promise.all([
      relay.run(signal),
      every('outbox', config.SWEEP_INTERVAL_MS, () => sweepOutbox(config.SWEEP_AGE_MS, context, signal)),
      every('removed jobs', SUSPICION_CHECK_MS, () => reconcileDoubts(context)),
      every('reconciliation', SUSPICION_CHECK_MS, () => reconcileSuspected(context, signal)),
      every('silent jobs', config.RECONCILE_INTERVAL_MS, () => reconcileSilent(config.RECONCILE_SILENT_MS, context, signal)),
      every('cap', CAP_CHECK_MS, keepCap),
      every('trimming', config.RELAY_TRIM_MS, trim)
    ])
  }

  async function keepCap () {
    if (await repairCap(redis, context.queue, config.RELAY_EVENTS_AHEAD)) log.info({ queue: name, cap: config.RELAY_EVENTS_AHEAD }, 'relay: BullMQ\'s cap of events repaired')
  }

  async function trim () {
    await trimBehind(redis, context.queue, await stream.position(name), config.RELAY_EVENTS_BEHIND)
    metrics.trimmed.inc({ queue: name }, await stream.trimToSize())
  }
}

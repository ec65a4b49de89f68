import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { jobRows } from '../job-rows.ts'
import { publishedEvents, type SeenEvent } from '../published-events.ts'
import type { Transition } from './transition.ts'

/** Long enough for every transition to finish before its jobs are compared as silent, also on a slow machine. */
const SILENT_MS = 4000

/** The settings of the service for transitions. */
export const settings = (queues: string[]) => ({
  JOB_QUEUES: queues.join(','),
  RECONCILE_SILENT_MS: String(SILENT_MS),
  RECONCILE_INTERVAL_MS: '500'
})

export type Ran = { transition: Transition, ids: Record<string, string> }

/**
 * Waits until each transition has its expected events, then until all jobs were compared with BullMQ, which must not
 * add events.
 */
export async function checkOutcomes (t: Test, app: FastifyInstance, ran: Ran[]) {
  const open = new Set(ran)
  await until(async () => {
    for (const one of open) if (isDeepStrictEqual(await outcomeOf(app, one), one.transition.expected)) open.delete(one)
    return open.size === 0
  }, { intervalMs: 500 }).catch(() => {}) // the comparisons below report the fault

  const since = Date.now() + SILENT_MS
  await until(
    async () => (await app.sql`select 1 from jobs.jobs where state < 3 and looked_ms < ${since}`).length === 0
  )
  for (const one of ran) t.same(await outcomeOf(app, one), one.transition.expected, one.transition.name)
  t.same(await compareCounts(app.sql), [])
}

/** Waits until a job has these published events; jobs of shared queues are found in the other one as well. */
export async function untilPublished (app: FastifyInstance, { queue, jobId, events }: {
  queue: string, jobId: string, events: string
}) {
  await until(async () => {
    const all = await publishedEvents(app.redis)
    return queuesOf(queue).some(
      name => textOf(all.filter(event => event.queue === name && event.jobId === jobId)) === events
    )
  }, { what: `job ${jobId} of ${queue} to publish ${events}` })
}

/** Waits until a job has any published event. */
export async function untilSeen (app: FastifyInstance, { queue, jobId }: { queue: string, jobId: string }) {
  await until(
    async () => (await publishedEvents(app.redis)).some(event => event.queue === queue && event.jobId === jobId)
  )
}

/** The published events and the states of a transition's jobs, in the format of `expected`. */
async function outcomeOf (
  app: FastifyInstance, { transition: { queue, expected }, ids }: Ran
): Promise<Record<string, string>> {
  const [events, rows] = [await publishedEvents(app.redis), await jobRows(app.sql as never)]
  return Object.fromEntries(Object.keys(expected).map(label => {
    const isIts = (one: { queue: string, id: string }) => queuesOf(queue).includes(one.queue) && one.id === ids[label]
    const states = rows.filter(isIts).map(({ state }) => state)
    const text = textOf(events.filter(({ queue, jobId }) => isIts({ queue, id: jobId })))
    const named = Object.entries(ids).reduce((result, [label, id]) =>
      result.replaceAll(new RegExp(`bull:\\w+:${id}\\b`, 'g'), `<${label}>`), text)
    return [label, `${named} = ${states.join(', ') || 'gone'}`]
  }))
}

/** A flow of `busy` may have a child in `idle`. */
function queuesOf (queue: string): string[] {
  return queue === 'busy' ? ['busy', 'idle'] : [queue]
}

function textOf (events: SeenEvent[]): string {
  return events.map(event => {
    if (event.reopened) return 'reopened'
    if (event.type === 'failed') return `failed(${event.error})`
    return event.type === 'progress' ? `progress(${JSON.stringify(event.progress)})` : event.type
  }).join(' ')
}

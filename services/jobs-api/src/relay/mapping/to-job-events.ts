import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { BadItems } from '../../bad-items/bad-items.ts'
import { isolate } from '../../bad-items/isolate.ts'
import { findCancelled } from '../../db/find-cancelled.ts'
import type { createAttemptErrors } from '../attempts/attempt-errors.ts'
import type { BackgroundMetrics } from '../../metrics.ts'
import { UNOWNED, type Owner } from '../ownership/owner.ts'
import type { OwnerResolver } from '../ownership/owner-resolver.ts'
import type { ReconcileRequests } from './reconcile-requests.ts'
import { MalformedEntry, parseEntries, type BullmqEvent } from '../source/bullmq-event.ts'
import type { RawEntry } from '../source/bullmq-event-reader.ts'
import { isStoredWhole, storeLargeValues } from './large-values.ts'
import { mapEvent } from './map-event.ts'

type EventMapperOptions = {
  queue: string
  sql: RawSql
  ownerResolver: OwnerResolver
  attemptErrors: ReturnType<typeof createAttemptErrors>
  reconcileRequests: ReconcileRequests
  badItems: BadItems
  metrics: BackgroundMetrics
  log: FastifyBaseLogger
}

/** Maps a batch of BullMQ's entries to the job events to publish. */
export type ToJobEvents = (entries: RawEntry[]) => Promise<JobEvent[]>

/**
 * Drops irrelevant entries, resolves owners and names, and stores values that are too large for an event. An entry that
 * cannot be mapped is skipped alone.
 */
export function createEventMapper (
  { queue, sql, ownerResolver, attemptErrors, reconcileRequests, badItems, metrics, log }: EventMapperOptions
): ToJobEvents {
  return async raw => await isolate(raw, toJobEvents, { onBad: skip })

  async function toJobEvents (raw: RawEntry[]): Promise<JobEvent[]> {
    const entries = parseEntries(raw, skipMalformed)
    if (entries.length === 0) return []
    const ownerOf = await ownerResolver.resolve(entries, raw.at(-1)?.[0] as string)
    const removed = entries.filter(({ event }) => event === 'removed').map(({ jobId }) => jobId)
    const cancelled = await findCancelled(sql, queue, removed)
    const errors = await attemptErrors(entries.filter(entry => ownerOf(entry) !== UNOWNED), raw)

    const mapped = entries.flatMap(entry => {
      const owner = ownerOf(entry)
      if (owner === UNOWNED) return skipUnowned(entry)
      const isCancelled = cancelled.has(entry.jobId)
      if (mayBeReplaced(entry, owner) && !isCancelled) return requestReconcile(entry, owner)
      if (entry.event === 'added') requestReconcileOfAdded(entry, owner)
      return mapEvent(entry, { queue, owner, isCancelled, attemptError: errors.get(entry.id) }) ?? []
    })
    const large = mapped.flatMap(one => one.large ?? [])
    await storeLargeValues(sql, large)
    for (const one of large) metrics.largeValues.inc({ queue, stored: isStoredWhole(one) ? 'yes' : 'no' })
    for (const { event: { type, jobId, userId } } of mapped) {
      log.debug({ queue, event: type, jobId, userId }, 'relay: queue event')
    }
    return mapped.map(({ event }) => event)
  }

  function skipMalformed (err: MalformedEntry) {
    metrics.malformed.inc({ queue })
    badItems.report({ consumer: 'relay', queue, item: err.entryId, jobId: err.jobId, err })
  }

  function skip ([id, fields]: RawEntry, cause: Error) {
    const jobId = fields[fields.indexOf('jobId') + 1]
    skipMalformed(new MalformedEntry(id, 'it cannot be relayed', { cause, jobId }))
  }

  /** The job is gone, but the reason shows only later: its producer may be about to add it again. */
  function requestReconcile ({ id, event, jobId }: BullmqEvent, { generation = '' }: Owner): [] {
    reconcileRequests.requestAfterRemoval(jobId, { generation, ms: eventIdOf(id).ms })
    log.debug({ queue, event, jobId }, 'relay: removed, perhaps to be added again')
    return []
  }

  /**
   * BullMQ removes the pending job of a scheduler without an entry; of two jobs with one id the earlier is gone; and a
   * job that was cancelled before a late command added it is to be removed again.
   */
  function requestReconcileOfAdded ({ jobId }: BullmqEvent, { generation, slot, isReused, isCancelled }: Owner) {
    if (slot?.startsWith('repeat:')) reconcileRequests.request({ slot })
    if (isReused || (isCancelled && generation === undefined)) reconcileRequests.request({ jobId })
  }

  function skipUnowned ({ event, jobId }: BullmqEvent): [] {
    metrics.unowned.inc({ queue })
    log.debug({ queue, event, jobId }, 'relay: a job without an owner')
    return []
  }
}

/** Nobody else adds a submitted job again, so its removal is final. */
function mayBeReplaced ({ event, fields }: BullmqEvent, { generation }: Owner): boolean {
  return event === 'removed' && generation !== undefined && fields.prev !== 'completed' && fields.prev !== 'failed'
}

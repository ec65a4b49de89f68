import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { findCancelled } from '../../db/find-cancelled.ts'
import type { BadItems } from '../../bad-items/bad-items.ts'
import { isolate } from '../../bad-items/isolate.ts'
import type { EngineMetrics } from '../../metrics.ts'
import { isKept, keepLargeResults } from './large-values.ts'
import { NOBODY, type Owner } from '../ownership/owner.ts'
import type { Owners } from '../ownership/owner-resolver.ts'
import type { Doubts } from '../reconcile-requests.ts'
import { MalformedEntry, parseEntries, type QueueEvent } from '../source/bullmq-event.ts'
import type { RawEntry } from '../source/bullmq-event-reader.ts'
import { translate } from './map-event.ts'

type InterpretOptions = { queue: string, sql: RawSql, owners: Owners, doubts: Doubts, badItems: BadItems, metrics: EngineMetrics, log: FastifyBaseLogger }

/** What a batch of BullMQ's entries tells whom. */
export type Interpret = (entries: RawEntry[]) => Promise<JobEvent[]>

/**
 * Drops what nobody needs, attaches owner and name, keeps what is too large to
 * travel. One entry that can't be understood costs that entry only.
 */
export function createInterpreter ({ queue, sql, owners, doubts, badItems, metrics, log }: InterpretOptions): Interpret {
  return async raw => await isolate(raw, interpret, { onBad: skip })

  async function interpret (raw: RawEntry[]): Promise<JobEvent[]> {
    const entries = parseEntries(raw, stepOver)
    if (entries.length === 0) return []
    const ownerOf = await owners.attach(entries, raw.at(-1)?.[0] as string)
    const removed = entries.filter(({ event }) => event === 'removed').map(({ jobId }) => jobId)
    const cancelled = await findCancelled(sql, queue, removed)

    const translations = entries.flatMap(entry => {
      const owner = ownerOf(entry)
      if (owner === NOBODY) return skipUnowned(entry)
      const isCancelled = cancelled.has(entry.jobId)
      if (isDoubtful(entry, owner) && !isCancelled) return doubt(entry, owner)
      if (entry.event === 'added') noteSuccessor(entry, owner)
      return translate(entry, { queue, owner, isCancelled }) ?? []
    })
    const large = translations.flatMap(one => one.large ?? [])
    await keepLargeResults(sql, large)
    for (const one of large) metrics.large.inc({ queue, kept: isKept(one) ? 'yes' : 'no' })
    for (const { event: { type, jobId, userId } } of translations) log.debug({ queue, event: type, jobId, userId }, 'relay: queue event')
    return translations.map(({ event }) => event)
  }

  function stepOver (err: MalformedEntry) {
    metrics.malformed.inc({ queue })
    badItems.note({ consumer: 'relay', queue, item: err.entryId, jobId: err.jobId, err })
  }

  function skip ([id, fields]: RawEntry, cause: Error) {
    const jobId = fields[fields.indexOf('jobId') + 1]
    stepOver(new MalformedEntry(id, 'it cannot be relayed', { cause, jobId }))
  }

  /** The job is gone, but why shows only later: its producer may just be adding it anew. */
  function doubt ({ id, event, jobId }: QueueEvent, { generation = '' }: Owner): [] {
    doubts.noteRemoval(jobId, { generation, ms: eventIdOf(id).ms })
    log.debug({ queue, event, jobId }, 'relay: removed; whether for good shows later')
    return []
  }

  /** BullMQ removes what a scheduler had pending without an entry; and of two jobs of one id the earlier is gone. */
  function noteSuccessor ({ jobId }: QueueEvent, { slot, isAgain }: Owner) {
    if (slot?.startsWith('repeat:')) doubts.note({ slot })
    if (isAgain) doubts.note({ jobId })
  }

  function skipUnowned ({ event, jobId }: QueueEvent): [] {
    metrics.unowned.inc({ queue })
    log.debug({ queue, event, jobId }, 'relay: a job without an owner')
    return []
  }
}

/** Jobs of ours are never added anew by anybody else, so what is removed of them is removed for good. */
function isDoubtful ({ event, fields }: QueueEvent, { generation }: Owner): boolean {
  return event === 'removed' && generation !== undefined && fields.prev !== 'completed' && fields.prev !== 'failed'
}

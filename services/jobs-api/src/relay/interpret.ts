import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { findCancelled } from '../cancel/find-cancelled.ts'
import type { EngineMetrics } from '../metrics.ts'
import { isKept, keepLargeResults } from './large-results.ts'
import { NOBODY } from './owner.ts'
import type { Owners } from './owners.ts'
import { MalformedEntry, parseEntry, type QueueEvent } from './queue-event.ts'
import type { RawEntry } from './reader.ts'
import { translate } from './translate.ts'

type InterpretOptions = { queue: string, sql: RawSql, owners: Owners, metrics: EngineMetrics, log: FastifyBaseLogger }

/** What a batch of BullMQ's entries tells whom. */
export type Interpret = (entries: RawEntry[]) => Promise<JobEvent[]>

/**
 * Drops what nobody needs, attaches owner and name, keeps what is too large to
 * travel. One entry that can't be understood costs that entry only.
 */
export function createInterpreter ({ queue, sql, owners, metrics, log }: InterpretOptions): Interpret {
  return async function interpret (raw) {
    const entries = raw.flatMap(entry => stepOverMalformed(() => parseEntry(entry)))
    if (entries.length === 0) return []
    const ownerOf = await owners.attach(entries, raw.at(-1)?.[0] as string)
    const removed = entries.filter(({ event }) => event === 'removed').map(({ jobId }) => jobId)
    const cancelled = await findCancelled(sql, queue, removed)

    const translations = entries.flatMap(entry => {
      const owner = ownerOf(entry)
      if (owner === NOBODY) return skipUnowned(entry)
      return stepOverMalformed(() => translate(entry, { queue, owner, isCancelled: cancelled.has(entry.jobId) }))
    })
    const large = translations.flatMap(one => one.large ?? [])
    await keepLargeResults(sql, large)
    for (const one of large) metrics.large.inc({ queue, kept: isKept(one) ? 'yes' : 'no' })
    for (const { event: { type, jobId, userId } } of translations) log.debug({ queue, event: type, jobId, userId }, 'relay: queue event')
    return translations.map(({ event }) => event)
  }

  function stepOverMalformed<T> (read: () => T | undefined): T[] {
    try {
      const value = read()
      return value === undefined ? [] : [value]
    } catch (err) {
      if (!(err instanceof MalformedEntry)) throw err
      metrics.malformed.inc({ queue })
      log.error({ err, queue }, 'relay: entry stepped over')
      return []
    }
  }

  function skipUnowned ({ event, jobId }: QueueEvent): [] {
    metrics.unowned.inc({ queue })
    log.debug({ queue, event, jobId }, 'relay: a job without an owner')
    return []
  }
}

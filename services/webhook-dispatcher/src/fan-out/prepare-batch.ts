import type { PublishedJobEvent } from '@tidings/contracts'
import { eventIdOf } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { isBadValue } from '../db/data-error.ts'
import type { TargetsOf } from './job-webhooks.ts'
import { chainsOf, plan, type Telling } from './match-webhooks.ts'
import { readChains, type WaitingChain } from './find-pending-groups.ts'
import type { Skipped } from './skipped-events.ts'

export type Prepared = {
  tellings: Telling[]
  waiting: WaitingChain[]
  /** Events that Postgres refuses: a text with NUL, say, or one that is too long for an index. */
  skipped: Skipped[]
}

type PrepareOptions = { sql: RawSql, targetsOf: TargetsOf, claim: number }

/** Reads what is needed to deliver events. Where Postgres refuses it is asked by halves, until the bad events are isolated. */
export async function prepare (events: PublishedJobEvent[], options: PrepareOptions): Promise<Prepared> {
  const { sql, targetsOf, claim } = options
  try {
    const tellings = plan(events, await targetsOf(events))
    return { tellings, waiting: await readChains(sql, chainsOf(tellings), claim), skipped: [] }
  } catch (err) {
    if (!isBadValue(err)) throw err
    const middle = events.length >> 1
    if (middle === 0) return { tellings: [], waiting: [], skipped: events.map(({ eventId }) => ({ id: eventIdOf(eventId), reason: String(err) })) }
    const [older, newer] = [await prepare(events.slice(0, middle), options), await prepare(events.slice(middle), options)]
    return {
      tellings: [...older.tellings, ...newer.tellings],
      waiting: [...older.waiting, ...newer.waiting],
      skipped: [...older.skipped, ...newer.skipped]
    }
  }
}

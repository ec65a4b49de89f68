import { compareEventIds, eventIdOf, isNewer, START, type RelayPosition } from '@tidings/job-events'
import type { RawEntry, ReadPage } from './bullmq-event-reader.ts'

/** How a page continues the pages before it. */
type Continuity =
  /** Nothing is missing. */
  | 'contiguous'
  /** Entries were trimmed before they were read. */
  | 'gap'
  /** The stream was deleted and created again (obliterate, a flush, a restored Redis). */
  | 'recreated'
  /** The first read of a queue that is older than this service: entries trimmed before are not counted as lost. */
  | 'first'

export type Advance = { to: RelayPosition, entries: RawEntry[], continuity: Continuity, lost: number }

/**
 * The position after a page, and whether entries are missing before it. The counts make a gap exact: every entry ever
 * added was read, was lost, or stands after the position. Nobody XDELs from BullMQ's event stream, and XTRIM does not
 * change entries-added.
 */
export function detectGap (from: RelayPosition, page: ReadPage): Advance {
  if (isRecreated(from, page)) return restart(from, page)
  const known = from.read + from.lost
  const { entries, entriesAdded, length } = page
  // At the end of the stream the sum must be even; before it, at least the trimmed entries must be accounted for.
  const lost = Math.max(0, page.isEnd ? entriesAdded - entries.length - known : entriesAdded - length - known)
  const continuity = lost === 0 ? 'contiguous' : known === 0 ? 'first' : 'gap'
  const at = lastIdOf(entries) ?? endPosition(from.at, page.lastId)
  return { to: { at, read: from.read + entries.length, lost: from.lost + lost }, entries, continuity, lost }
}

function isRecreated ({ at, read, lost }: RelayPosition, page: ReadPage): boolean {
  if (compareEventIds(eventIdOf(at), eventIdOf(START.at)) === 0) return false
  // Its ids are below the position, or it never had as many entries as were counted.
  return isNewer(eventIdOf(at), eventIdOf(page.lastId)) ||
    (page.isEnd ? page.entriesAdded < read + lost + page.entries.length : page.entriesAdded < read + lost)
}

function restart ({ at }: RelayPosition, page: ReadPage): Advance {
  const isEmpty = isNewer(eventIdOf(at), eventIdOf(page.lastId))
  if (isEmpty) return { to: START, entries: [], continuity: 'recreated', lost: 0 }
  // Its ids are above the position, so everything that was not read yet is in this page or after it.
  const { entries } = page
  const after = page.isEnd ? entries.length : page.length
  const end = lastIdOf(entries) ?? endPosition(at, page.lastId)
  const to = { at: end, read: page.entriesAdded - after + entries.length, lost: 0 }
  return { to, entries, continuity: 'recreated', lost: 0 }
}

/** If no entry stands after the position, the newest id has been passed, trimmed or not: waiters for it can go on. */
function endPosition (at: string, last: string): string {
  return isNewer(eventIdOf(last), eventIdOf(at)) ? last : at
}

function lastIdOf (entries: RawEntry[]): string | undefined {
  return entries.at(-1)?.[0]
}

import { compareEventIds, eventIdOf, isNewer, START, type RelayPosition } from '@tidings/job-events'
import type { Look, RawEntry } from './bullmq-event-reader.ts'

/** What a look tells beside its entries. */
export type Finding =
  /** Nothing is missing. */
  | 'whole'
  /** Entries were trimmed before they were read. */
  | 'gap'
  /** The stream was deleted and began anew (obliterate, a flush, a restored Redis). */
  | 'recreated'
  /** The first look at a queue that was there before: what was trimmed is nobody's loss. */
  | 'first'

export type Step = { to: RelayPosition, entries: RawEntry[], finding: Finding, lost: number }

/**
 * Where a look leads. The counts make a gap exact: all entries ever added were
 * either read, lost, or still stand after the position. Nobody XDELs from
 * BullMQ's event stream, and XTRIM leaves entries-added as it is.
 */
export function advance (from: RelayPosition, look: Look): Step {
  if (isRecreated(from, look)) return beginAnew(from, look)
  const known = from.read + from.lost
  const { entries } = look
  // At the end the sum must be even; before it, at least what was trimmed must be accounted for.
  const lost = Math.max(0, look.isEnd ? look.added - entries.length - known : look.added - look.length - known)
  const finding = lost === 0 ? 'whole' : known === 0 ? 'first' : 'gap'
  return { to: { at: lastOf(entries) ?? newerOf(from.at, look.last), read: from.read + entries.length, lost: from.lost + lost }, entries, finding, lost }
}

function isRecreated ({ at, read, lost }: RelayPosition, look: Look): boolean {
  if (compareEventIds(eventIdOf(at), eventIdOf(START.at)) === 0) return false
  // Its ids are below ours, or it never had as many entries as we know of.
  return isNewer(eventIdOf(at), eventIdOf(look.last)) ||
    (look.isEnd ? look.added < read + lost + look.entries.length : look.added < read + lost)
}

function beginAnew ({ at }: RelayPosition, look: Look): Step {
  if (isNewer(eventIdOf(at), eventIdOf(look.last))) return { to: START, entries: [], finding: 'recreated', lost: 0 }
  // Its ids are above ours, so all of it that was not read yet stands in this look or after it.
  const { entries } = look
  const after = look.isEnd ? entries.length : look.length
  return { to: { at: lastOf(entries) ?? newerOf(at, look.last), read: look.added - after + entries.length, lost: 0 }, entries, finding: 'recreated', lost: 0 }
}

/** Where nothing stands after the position, the newest id has been passed, trimmed or not: who waits for it waits no longer. */
function newerOf (at: string, last: string): string {
  return isNewer(eventIdOf(last), eventIdOf(at)) ? last : at
}

function lastOf (entries: RawEntry[]): string | undefined {
  return entries.at(-1)?.[0]
}

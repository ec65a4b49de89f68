import type { RequestReplay } from '@tidings/contracts'
import { isNewer, justBelow, parseEventId, type EventId } from '@tidings/job-events'
import { invalidInput } from '@tidings/service-kit'

/** The events of a replay: those above `at`, up to `until`; without it up to the newest. */
export type ReplayRange = { at: EventId, until: EventId | undefined }

/**
 * The range of a request. A time includes its first event at the start, and none at the end, so that ranges of times
 * join; an event id is the last one left out at the start, and the last one included at the end.
 * @throws INVALID_INPUT where the start lies in the future or before the retention, or not before the end
 */
export function replayRange (
  { since, until }: Pick<RequestReplay, 'since' | 'until'>, retentionMs: number, now = Date.now()
): ReplayRange {
  const at = positionOf('since', since)
  if (at.ms > now) throw invalidInput([{ path: 'body.since', message: 'must not lie in the future' }])
  const days = Math.floor(retentionMs / 86_400_000)
  if (at.ms < now - retentionMs - 1) {
    throw invalidInput([{ path: 'body.since', message: `must be at most ${days} days ago` }])
  }
  if (until === undefined || until === null) return { at, until: undefined }
  const end = positionOf('until', until)
  if (!isNewer(end, at)) throw invalidInput([{ path: 'body.until', message: 'must be after since' }])
  return { at, until: end }
}

function positionOf (name: string, text: string): EventId {
  const id = parseEventId(text)
  if (id) return id
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw invalidInput([{ path: `body.${name}`, message: 'is not a time' }])
  return justBelow({ ms, seq: 0 })
}

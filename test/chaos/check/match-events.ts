import type { Received } from '../channels/recorder.ts'
import { noFindings, type Findings } from './findings.ts'
import type { Expected } from './truth.ts'
import { REMOVED, textOf } from './values.ts'

export interface MatchOptions {
  /** Names channel, user and job. */
  subject: string
  expected: readonly Expected[]
  /** Which of these events the channel carries. */
  carries: (type: Expected['type']) => boolean
  received: readonly Received[]
  /** Ids of the events by their place in `expected`, from other channels; those of this one are added. */
  ids: Map<number, string>
}

/** Compares the events of one job on one channel with what BullMQ recorded. */
export function matchEvents ({ subject, expected, carries, received, ids }: MatchOptions): Findings {
  const found = noFindings()
  const hasTimes = received.every(({ ms }) => ms !== undefined)
  const open = new Map<string, number[]>()
  const total = new Map<string, number>()
  expected.forEach((event, index) => {
    if (!carries(event.type)) return
    const key = keyOf(event, hasTimes)
    total.set(key, (total.get(key) ?? 0) + 1)
    open.set(key, [...open.get(key) ?? [], index])
  })

  let last = -1
  for (const event of received) {
    const key = keyOf(event, hasTimes)
    const index = takeIndex(open.get(key), index => ids.get(index) === event.eventId)
    const line = `${subject}: ${key} (${event.eventId})`
    if (index === undefined) {
      if (total.has(key)) found.doubled.push(line)
      else found.wrong.push(`${line} has no entry of BullMQ`)
      continue
    }
    if (index < last) found.reordered.push(line)
    last = Math.max(last, index)
    const id = ids.get(index) ?? event.eventId
    if (id !== event.eventId) found.wrong.push(`${line} has the id ${id} on another channel`)
    ids.set(index, id)
  }
  for (const [key, indexes] of open) {
    found.lost.push(...indexes.map(() => `${subject}: ${key}`))
  }
  return found
}

/**
 * Takes the place of the event with this id, otherwise the first one. A channel without times may have equal events, of
 * which it lacks the first: a job that was retried reports the same progress again.
 */
function takeIndex (places: number[] = [], isOfId: (index: number) => boolean): number | undefined {
  return places.splice(Math.max(0, places.findIndex(isOfId)), 1)[0]
}

/** Without the time of a removal: when it is known that nothing replaces the job, it is published. */
function keyOf ({ type, ms, value }: Pick<Expected, 'type' | 'value'> & { ms?: number } | Received, hasTimes: boolean) {
  const text = textOf(value)
  return [type, ...(hasTimes && text !== textOf(REMOVED) ? [ms] : []), text].join(' ').trim()
}

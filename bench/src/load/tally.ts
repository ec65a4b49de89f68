import { now } from '../clock.ts'
import type { Mark } from './mark.ts'

const FIRST_SHARE = 0.1
const LAST_SHARE = 0.9

export interface Expected {
  run: number
  events: number
  jobs: number
  /** How often each event should arrive: the number of sockets in a room. */
  copies?: number
}

/** The arrivals of a run at one channel. Times are of the common clock, in microseconds. */
export interface Arrivals {
  received: number
  lost: number
  doubled: number
  /** Arrived after a later one of the same job. */
  reordered: number
  /** The times at which 10 % and 90 % had arrived: between them the system is neither filling nor draining. */
  tenth: number
  ninetieth: number
  first: number
  last: number
  /** Milliseconds from the worker's call to the arrival of the first copy, by event. */
  latencies: Float32Array
}

export type Tally = ReturnType<typeof createTally>

/** Counts the events of one run at a time; events of other runs are strays. */
export function createTally () {
  let run = -1
  let copies = 1
  let counts = new Uint16Array(0)
  let latencies = new Float32Array(0)
  let newest = new Int32Array(0)
  let received = 0
  let doubled = 0
  let reordered = 0
  let strays = 0
  let first = 0
  let last = 0
  let tenth = 0
  let ninetieth = 0

  function start (expected: Expected): void {
    run = expected.run
    copies = expected.copies ?? 1
    counts = new Uint16Array(expected.events)
    latencies = new Float32Array(expected.events)
    newest = new Int32Array(expected.jobs).fill(-1)
    received = doubled = reordered = strays = first = last = tenth = ninetieth = 0
  }

  function take (mark: Mark): void {
    if (mark.run !== run) {
      strays++
      return
    }
    const before = counts[mark.seq] as number
    counts[mark.seq] = before + 1
    if (before >= copies) {
      doubled++
      return
    }
    const at = now()
    if (before === 0) {
      latencies[mark.seq] = (at - mark.at) / 1000
      if ((newest[mark.job] as number) > mark.seq) reordered++
      else newest[mark.job] = mark.seq
    }
    count(at)
  }

  function count (at: number): void {
    const expected = counts.length * copies
    received++
    if (received === 1) first = at
    last = at
    if (tenth === 0 && received >= expected * FIRST_SHARE) tenth = at
    if (ninetieth === 0 && received >= expected * LAST_SHARE) ninetieth = at
  }

  return {
    start,
    take,
    /** Events that have arrived; an event of which some copies have arrived counts as a fraction. */
    received: () => received / copies,
    strays: () => strays,
    finish: (): Arrivals => ({
      received,
      lost: counts.length * copies - received,
      doubled,
      reordered,
      tenth,
      ninetieth,
      first,
      last,
      latencies: latencies.filter((_, seq) => (counts[seq] as number) > 0)
    })
  }
}

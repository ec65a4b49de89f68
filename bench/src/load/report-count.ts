import { notify } from './serve.ts'
import type { Tally } from './tally.ts'

const INTERVAL_MS = 10

/** Notifies the bench of the number of events that have arrived, whenever it changed. */
export function reportCount (tally: Tally): void {
  let reported = -1
  setInterval(() => {
    const received = tally.received()
    if (received === reported) return
    reported = received
    notify(received)
  }, INTERVAL_MS)
}

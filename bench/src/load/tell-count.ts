import { tell } from './serve.ts'
import type { Tally } from './tally.ts'

const INTERVAL_MS = 10

/** Tells the bench how many events have arrived, whenever that changed. */
export function tellCount (tally: Tally): void {
  let told = -1
  setInterval(() => {
    const received = tally.received()
    if (received === told) return
    told = received
    tell(received)
  }, INTERVAL_MS)
}

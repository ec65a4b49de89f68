import type { Side } from '../stage/side.ts'

/** Tidings promises to deliver, if late: a lease of 15 s may have to run out first. Nobody else would come back. */
const PROMISED_MS = 30_000
/** Longer than the pauses between the three tries of a monolith. */
const UNPROMISED_MS = 4_000

/** After so long without an arrival, what is missing counts as lost. */
export function patienceMs (name: Side['name']): number {
  return name === 'Tidings' ? PROMISED_MS : UNPROMISED_MS
}

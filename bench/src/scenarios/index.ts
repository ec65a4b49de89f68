import { latency } from './latency.ts'
import type { Scenario } from './scenario.ts'
import { sustained } from './sustained.ts'

/** In the order in which they run. */
export const scenarios: Scenario[] = [sustained, latency]

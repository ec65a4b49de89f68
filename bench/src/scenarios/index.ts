import { fanOut } from './fan-out.ts'
import { growth } from './growth.ts'
import { hanging } from './hanging.ts'
import { kill } from './kill.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { poll } from './poll.ts'
import type { Scenario } from './scenario.ts'
import { sustained } from './sustained.ts'
import { webhooks } from './webhooks.ts'

/** In the order in which they run: what matters most first. */
export const scenarios: Scenario[] = [sustained, latency, poll, webhooks, fanOut, kill, hanging, memory, growth]

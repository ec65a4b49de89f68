import type { Subject } from '../fixture/subject.ts'
import type { WorkloadResult } from './run-workload.ts'

/** Tidings promises delivery, though it may be late: a lease of 15 s may have to expire first. */
const TIDINGS_MS = 30_000
/** Longer than the pauses between the three tries of a monolith, which promises nothing. */
const MONOLITH_MS = 4_000

/** After this time without an arrival the missing events count as lost. */
export function stallTimeoutMs (name: Subject['name']): number {
  return name === 'Tidings' ? TIDINGS_MS : MONOLITH_MS
}

/** Describes lost, doubled and reordered events, by channel; empty when each arrived once and in order. */
export function faults (what: string, { sockets, webhooks }: Pick<WorkloadResult, 'sockets' | 'webhooks'>): string[] {
  return Object.entries({ sockets, webhooks }).flatMap(([channel, { lost, doubled, reordered }]) => [
    ...(lost > 0 ? [`${what}: ${lost} events never arrived at ${channel}`] : []),
    ...(channel === 'sockets' && doubled > 0 ? [`${what}: ${doubled} events arrived twice at ${channel}`] : []),
    ...(reordered > 0 ? [`${what}: ${reordered} events arrived out of order at ${channel}`] : [])
  ])
}

export function lostOf ({ sockets, webhooks }: Pick<WorkloadResult, 'sockets' | 'webhooks'>): number {
  return sockets.lost + webhooks.lost
}

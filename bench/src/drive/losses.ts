import type { Driven } from './drive.ts'

/** What did not arrive at all, or not once and in order, in words; nothing when all is well. */
export function faults (what: string, { sockets, webhooks }: Pick<Driven, 'sockets' | 'webhooks'>): string[] {
  return Object.entries({ sockets, webhooks }).flatMap(([channel, { lost, doubled, reordered }]) => [
    ...(lost > 0 ? [`${what}: ${lost} events never came by ${channel}`] : []),
    ...(channel === 'sockets' && doubled > 0 ? [`${what}: ${doubled} events came twice by ${channel}`] : []),
    ...(reordered > 0 ? [`${what}: ${reordered} events came out of order by ${channel}`] : [])
  ])
}

export function lostOf ({ sockets, webhooks }: Pick<Driven, 'sockets' | 'webhooks'>): number {
  return sockets.lost + webhooks.lost
}

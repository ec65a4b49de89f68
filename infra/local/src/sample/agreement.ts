import { isDeepStrictEqual } from 'node:util'
import type { JobState } from '@tidings/contracts'

/** What one channel said of one event. */
export interface Told { eventId: string, type: string, value: unknown }

export interface Heard {
  socket: Told[]
  webhooks: Told[]
  polled: { state: JobState, result?: unknown, failedReason?: string | null, lastEventId: string | null }
}

/** What the three channels do not agree on, in words; nothing when they do. */
export function disagreements ({ socket, webhooks, polled }: Heard): string[] {
  const bySocket = new Map(socket.map(told => [told.eventId, told]))
  const byWebhook = new Map(webhooks.map(told => [told.eventId, told]))
  const end = socket.find(({ type }) => type === 'completed' || type === 'failed')
  return [
    ...(bySocket.size < socket.length ? ['Socket.IO told an event twice'] : []),
    ...[...bySocket.keys()].filter(id => !byWebhook.has(id)).map(id => `event ${id} came by Socket.IO and by no webhook`),
    ...[...byWebhook.keys()].filter(id => !bySocket.has(id)).map(id => `event ${id} came by webhook and not by Socket.IO`),
    ...[...bySocket].filter(([id, told]) => byWebhook.has(id) && !isSame(told, byWebhook.get(id))).map(([id]) => `event ${id} says one thing by Socket.IO and another by webhook`),
    ...(end === undefined ? ['Socket.IO told no end'] : endDisagreements(end, polled))
  ]
}

function endDisagreements (end: Told, polled: Heard['polled']): string[] {
  const polledValue = polled.state === 'failed' ? polled.failedReason : polled.result
  return [
    ...(polled.state === end.type ? [] : [`polling says ${polled.state}, Socket.IO ${end.type}`]),
    ...(polled.lastEventId === end.eventId ? [] : [`polling's last event is ${polled.lastEventId}, Socket.IO's ${end.eventId}`]),
    ...(isDeepStrictEqual(polledValue, end.value) ? [] : ['polling and Socket.IO have different results'])
  ]
}

function isSame (one: Told, other: Told | undefined): boolean {
  return one.type === other?.type && isDeepStrictEqual(one.value, other.value)
}

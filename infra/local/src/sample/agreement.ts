import { isDeepStrictEqual } from 'node:util'
import type { JobState } from '@tidings/contracts'

/** One event as one channel reported it. */
export interface ReportedEvent { eventId: string, type: string, value: unknown }

export interface ChannelReports {
  socket: ReportedEvent[]
  webhooks: ReportedEvent[]
  polled: { state: JobState, result?: unknown, failedReason?: string | null, lastEventId: string | null }
}

/** Describes the differences between the three channels; empty when there are none. */
export function disagreements ({ socket, webhooks, polled }: ChannelReports): string[] {
  const bySocket = new Map(socket.map(event => [event.eventId, event]))
  const byWebhook = new Map(webhooks.map(event => [event.eventId, event]))
  const end = socket.find(({ type }) => type === 'completed' || type === 'failed')
  return [
    ...(bySocket.size < socket.length ? ['Socket.IO reported an event twice'] : []),
    ...[...bySocket.keys()]
      .filter(id => !byWebhook.has(id))
      .map(id => `event ${id} arrived over Socket.IO, but not by webhook`),
    ...[...byWebhook.keys()]
      .filter(id => !bySocket.has(id))
      .map(id => `event ${id} arrived by webhook, but not over Socket.IO`),
    ...[...bySocket]
      .filter(([id, event]) => byWebhook.has(id) && !isSame(event, byWebhook.get(id)))
      .map(([id]) => `event ${id} differs between Socket.IO and webhook`),
    ...(end === undefined ? ['Socket.IO reported no end of the job'] : endDisagreements(end, polled))
  ]
}

function endDisagreements (end: ReportedEvent, polled: ChannelReports['polled']): string[] {
  const polledValue = polled.state === 'failed' ? polled.failedReason : polled.result
  return [
    ...(polled.state === end.type ? [] : [`polling says ${polled.state}, Socket.IO ${end.type}`]),
    ...(polled.lastEventId === end.eventId
      ? []
      : [
      `polling's last event is ${polled.lastEventId}, Socket.IO's ${end.eventId}`
        ]),
    ...(isDeepStrictEqual(polledValue, end.value) ? [] : ['polling and Socket.IO have different results'])
  ]
}

function isSame (one: ReportedEvent, other: ReportedEvent | undefined): boolean {
  return one.type === other?.type && isDeepStrictEqual(one.value, other.value)
}

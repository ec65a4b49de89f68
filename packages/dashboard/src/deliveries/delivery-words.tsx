import type { Delivery, DeliverySummary } from 'tidings'
import { Badge, type Tone } from '../ui/badge.tsx'

type Status = DeliverySummary['status']
type Origin = DeliverySummary['origin']
export type Attempt = Delivery['attempts'][number]
type Fault = NonNullable<Attempt['errorClass']>

export const STATUSES: Status[] = ['pending', 'delivered', 'failed', 'superseded', 'closed']
export const ORIGINS: Origin[] = ['event', 'redeliver', 'replay', 'test']
export const EVENT_TYPES = ['progress', 'completed', 'failed'] as const

const TONES: Record<Status, Tone> = {
  pending: 'busy', delivered: 'ok', failed: 'bad', superseded: 'idle', closed: 'warn'
}

export const ORIGIN_WORDS: Record<Origin, string> = {
  event: 'event', redeliver: 'redelivery', replay: 'replay', test: 'test'
}

const FAULTS: Record<Fault, string> = {
  dns: 'The name of its host does not resolve',
  connect: 'Nothing accepts connections there',
  tls: 'The TLS handshake failed: look at its certificate',
  timeout: 'It did not respond in time',
  reset: 'The connection broke before the response',
  'too-large': 'Its response is too large',
  'http-4xx': 'It refuses the request',
  'http-5xx': 'It failed while it processed the request',
  redirect: 'It redirects, and redirects are not followed: use the address it names',
  blocked: 'This address is not allowed as a destination'
}

export function DeliveryBadge ({ status }: { status: Status }) {
  return <Badge tone={TONES[status]} dot>{status}</Badge>
}

/** What the endpoint did wrong, in a sentence without its end. */
export function faultWords (errorClass: Fault | null): string | undefined {
  return errorClass === null ? undefined : FAULTS[errorClass]
}

/** The type of its event, and where it is no first delivery what it is: `completed, replay`. */
export function eventText ({ eventType, origin }: Pick<DeliverySummary, 'eventType' | 'origin'>): string {
  return origin === 'replay' || origin === 'redeliver' ? `${eventType}, ${ORIGIN_WORDS[origin]}` : eventType
}

/** The last status, or what there was in place of one: `503`, `timeout`. */
export function outcomeText ({ statusCode, errorClass }: Pick<Attempt, 'statusCode' | 'errorClass'>): string {
  return statusCode === null ? errorClass ?? '–' : String(statusCode)
}

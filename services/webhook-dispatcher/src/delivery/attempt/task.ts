import type { DeliveredEventType, WebhookEventType, WebhookFilter } from '@tidings/contracts'
import type { EventId } from '@tidings/job-events'
import type { AttemptOutcome } from '../../egress/outcome.ts'

/** A row of the view `webhooks.targets`: a webhook with everything that sending to it needs. */
export type Target = {
  id: number
  user_id: string
  kind: 'own' | 'legacy' | 'job'
  url: string
  event_type: WebhookEventType
  /** Beside event type `all` only: some of the types. */
  event_types: DeliveredEventType[] | null
  filter: WebhookFilter | null
  status: 'active' | 'paused' | 'disabled'
  /** Masked, unless `sealed_headers` is null. */
  headers: Record<string, string>
  sealed_headers: string | null
  progress_mode: 'all' | 'latest'
  since_ms: number
  since_seq: number
  /** Attempts that failed in a row. */
  failures: number
  /** No attempt before this moment; 0 where none is set. */
  open_until: number
  ciphertexts: string[]
  /** When its owner last changed it, in microseconds. */
  changed_at: number
}

/** A delivery that this process holds. */
export type Task = {
  target: Target
  /** Tasks of one ordering key go to a webhook in order; null: outside the order. */
  orderingKey: string | null
  eventId: EventId
  type: string
  /** Where it goes, if not to the webhook's url: a job's own webhookUrl. */
  url: string | null
  /** The `webhook-id`. */
  messageId: string
  body: string
  /** The number of the next attempt, from 1. */
  attempt: number
  /** When the event happened, in milliseconds. */
  acceptedAt: number
  /** When this attempt was to start, in milliseconds. */
  dueAt: number
  /** The same moment by the monotonic clock, which nobody sets: waiting times are measured by it. */
  waitingSince: number
  /** The worker that holds it: this process, under one of its ids. */
  workerId: number
  /** The id of its row, once that is written. */
  id?: number
}

/** The deliveries of one job to one webhook: they go out in order. */
export type OrderingGroup = { webhookId: number, orderingKey: string }

/** An ordering group as the key of a map. */
export function groupKey (webhookId: number, orderingKey: string | null): string {
  return `${webhookId} ${orderingKey}`
}

export function groupKeyOf ({ target, orderingKey }: Pick<Task, 'target' | 'orderingKey'>): string {
  return groupKey(target.id, orderingKey)
}

/** Why progress was not delivered: the reason shown to the webhook's owner. */
export const SUPERSEDED = 'Superseded by a newer event of the job'

/** The next state of a delivery. */
export type Decision =
  | { state: 'delivered' }
  | { state: 'superseded' | 'failed', reason?: string }
  | { state: 'pending', dueAt: number }

/**
 * The state of an ordering key at an endpoint: `blocked` by an older delivery
 * in Postgres; `lagging`, so that newer progress supersedes progress; or
 * `failing`, so that any newer event supersedes progress.
 */
export type KeyState = 'clear' | 'blocked' | 'lagging' | 'failing'

/** The outcome of a task in this process; without an attempt it was released, or superseded. */
export type Result = {
  decision: Decision
  keyState: KeyState
  attempt?: Attempt
}

export type Attempt = {
  startedAt: number
  outcome: AttemptOutcome
  /** The endpoint asks for no attempts before this moment. */
  pausedUntil: number | undefined
}

/** The result of a task that was not tried: the next claim may take it. */
export function released (
  { keyState = 'clear', dueAt = Date.now() }: { keyState?: KeyState, dueAt?: number } = {}
): Result {
  return { decision: { state: 'pending', dueAt }, keyState }
}

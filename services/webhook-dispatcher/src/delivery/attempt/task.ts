import type { EventId } from '@tidings/job-events'
import type { AttemptOutcome } from '../../egress/outcome.ts'

/** A row of the view `webhooks.targets`: a webhook with what is needed to post to it. */
export type Target = {
  id: number
  user_id: string
  kind: 'own' | 'legacy' | 'job'
  url: string
  event_type: string
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

/** One delivery in this process' hands. */
export type Task = {
  target: Target
  /** Tasks of one chain go to a webhook in order; null: outside the order. */
  orderingKey: string | null
  eventId: EventId
  type: string
  /** Where it goes, if not to the webhook's url: a job's own webhookUrl. */
  url: string | null
  /** The `webhook-id`. */
  messageId: string
  body: string
  /** Which attempt is next, from 1. */
  attempt: number
  /** When the event happened and when this attempt was to start, in milliseconds. */
  acceptedAt: number
  dueAt: number
  /** The same moment by the monotonic clock, which nobody sets: what waits is measured by it. */
  waitingSince: number
  /** The claimant that it is held by. */
  workerId: number
  /** Its row, once it stands in Postgres. */
  id?: number
}

/** Deliveries of one job to one webhook: they go out in order. */
export type OrderingGroup = { webhookId: number, orderingKey: string }

/** An ordering group as the key of a map. */
export function groupKey (webhookId: number, orderingKey: string | null): string {
  return `${webhookId} ${orderingKey}`
}

export function groupKeyOf ({ target, orderingKey }: Pick<Task, 'target' | 'orderingKey'>): string {
  return groupKey(target.id, orderingKey)
}

/** Why progress was not delivered: the reason that its owner sees. */
export const SUPERSEDED = 'Newer news of the job took its place'

export type Decision =
  | { state: 'delivered' }
  | { state: 'superseded' | 'failed', reason?: string }
  | { state: 'pending', dueAt: number }

/**
 * How a job's chain fares at an endpoint: `waits` behind something in Postgres;
 * `lags`, so that progress gives way to newer progress; or `fails`, so that it
 * gives way to anything newer.
 */
export type KeyState = 'clear' | 'blocked' | 'lagging' | 'failing'

/** What became of a task in this process; without an attempt it was handed back, or left out. */
export type Result = {
  decision: Decision
  keyState: KeyState
  attempt?: Attempt
}

export type Attempt = {
  startedAt: number
  outcome: AttemptOutcome
  /** The endpoint asks to be left alone until then. */
  pausedUntil: number | undefined
}

/** Not tried: whoever claims it next may. */
export function released ({ keyState = 'clear', dueAt = Date.now() }: { keyState?: KeyState, dueAt?: number } = {}): Result {
  return { decision: { state: 'pending', dueAt }, keyState }
}

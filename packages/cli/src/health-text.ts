import type { Webhook, WebhookHealth } from 'tidings'
import { duration } from './text.ts'

const WORDS = {
  closed: 'ok', failing: 'failing', throttled: 'throttled', open: 'circuit open', 'half-open': 'circuit half-open'
} as const

/** A server of the release before knows nothing of it. */
type Health = WebhookHealth | undefined

/** How the endpoint of a webhook answers: `ok`, or `circuit open for 5m, next attempt in 40s`. */
export function healthText (health: Health, now = Date.now()): string {
  if (!health) return ''
  const { circuit, failingSince, nextAttemptAt } = health
  const since = failingSince === null ? '' : ` for ${duration(now - Date.parse(failingSince))}`
  return `${WORDS[circuit]}${since}${nextAttemptAt === null ? '' : `, next attempt ${until(nextAttemptAt, now)}`}`
}

export function healthFormat (health: Health): 'red' | 'yellow' | undefined {
  if (!health || health.circuit === 'closed') return undefined
  return health.circuit === 'open' ? 'red' : 'yellow'
}

/** The same on lines of its own; none for an endpoint that answers. */
export function describeHealth (
  { health, status }: { health: Health, status: Webhook['status'] }, now = Date.now()
): string[] {
  if (!health || health.circuit === 'closed') return []
  const { failures, failingSince, openUntil, nextAttemptAt } = health
  return [
    `endpoint ${healthText(health, now)}`,
    `failures ${failures} in a row${failingSince === null ? '' : ` since ${failingSince}`}`,
    ...(openUntil === null ? [] : [`paused until ${openUntil}`]),
    `next attempt ${nextAttemptAt ?? (status === 'active' ? 'with the next event' : 'once the webhook is active')}`
  ]
}

function until (time: string, now: number): string {
  const ms = Date.parse(time) - now
  return ms > 0 ? `in ${duration(ms)}` : 'now'
}

import { EVENT_TYPES, type PublishedJobEvent } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import { originOf } from '../delivery/scheduler/endpoint.ts'
import type { Target } from '../delivery/attempt/task.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import { newSigningSecret } from '../secrets/signing-secrets.ts'
import { findTargets } from './find-targets.ts'

export type FindTargets = (events: PublishedJobEvent[]) => Promise<Map<string, Target[]>>

/** Hidden webhooks of one user, besides those in use. */
const MAX_HIDDEN = 100

/**
 * Makes the function that finds the webhooks of events. The webhookUrls of a
 * user's jobs at one origin share one hidden webhook, created when a job first
 * names the origin, with one health and one concurrency: a thousand URLs are not
 * a thousand webhooks. A disabled hidden webhook is reactivated by the next job
 * that names its origin, since there is no other way to ask for that.
 */
export function createFindTargets (sql: RawSql, box: SecretBox): FindTargets {
  return async function targetsOf (events) {
    if (events.length === 0) return new Map()
    const targets = await findTargets(sql, events)
    const missing = events.filter(event => lacksWebhook(event, targets))
    if (missing.length === 0) return targets
    await createJobWebhooks(sql, box, missing)
    return await findTargets(sql, events)
  }
}

/** Whether the job's own webhookUrl has no active hidden webhook yet. */
function lacksWebhook ({ type, userId, webhookUrl }: PublishedJobEvent, targets: Map<string, Target[]>): boolean {
  if (webhookUrl === undefined || !EVENT_TYPES[type].webhook) return false
  const origin = originOf({ url: webhookUrl })
  return !targets.get(userId)?.some(({ kind, url, status }) => kind === 'job' && status === 'active' && url === origin)
}

/** Three statements, whatever their number. Their `since` is zero: the event that names one is older than it. */
async function createJobWebhooks (sql: RawSql, box: SecretBox, events: PublishedJobEvent[]): Promise<void> {
  const users = [...new Set(events.map(({ userId }) => userId))]
  const origins = events.map(({ webhookUrl = '' }) => originOf({ url: webhookUrl }))
  await sql`
    insert into webhooks.secrets (user_id, ciphertext)
    select * from unnest(${users}::text[], ${users.map(() => box.seal(newSigningSecret()))}::text[])
    on conflict do nothing`
  await sql`
    insert into webhooks.webhooks (user_id, kind, url, event_type, since_ms, since_seq)
    select distinct user_id, 'job', url, 'all', 0, 0
    from unnest(${events.map(({ userId }) => userId)}::text[], ${origins}::text[]) as e (user_id, url)
    order by user_id, url
    on conflict (user_id, md5(url)) where kind = 'job' and deleted_at is null do update set
      status = 'active', disabled_reason = null, failing_since = null, failures = 0, open_until = null, recover_at = now(), updated_at = greatest(now(), webhooks.updated_at + interval '1 ms')`
  await deleteIdle(sql, users, origins)
}

/** Deletes the least recently used ones beyond the limit that have no pending deliveries. Their deliveries are kept. */
async function deleteIdle (sql: RawSql, users: string[], named: string[]): Promise<void> {
  await sql`
    update webhooks.webhooks set deleted_at = now() where id in (
      select id from (
        select w.id, row_number() over (partition by w.user_id order by used.last desc nulls first, w.id desc) as place
        from webhooks.webhooks w
        cross join lateral (select max(d.id) as last from webhooks.all_deliveries d where d.webhook_id = w.id) used
        where w.user_id = any(${users}::text[]) and w.kind = 'job' and w.deleted_at is null and w.url <> all(${named}::text[])) hidden
      where place > ${MAX_HIDDEN} and not exists (
        select from webhooks.deliveries d where d.webhook_id = hidden.id and d.state = 'pending'))`
}

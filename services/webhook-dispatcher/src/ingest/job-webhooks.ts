import type { ToldJobEvent } from '@tidings/contracts'
import type { RawSql } from '@tidings/service-kit'
import type { Target } from '../delivery/task.ts'
import { newSigningSecret } from '../secrets/signing-secret.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import { readTargets } from './read-targets.ts'

export type TargetsOf = (events: ToldJobEvent[]) => Promise<Map<string, Target[]>>

/**
 * Reads who is told of events; a job's own webhookUrl becomes a hidden webhook
 * of its user when it is first met. One that was disabled is active again: who
 * names it anew wants to be told, and has no other way to say so.
 */
export function createTargetsOf (sql: RawSql, box: SecretBox): TargetsOf {
  return async function targetsOf (events) {
    if (events.length === 0) return new Map()
    const targets = await readTargets(sql, events)
    const missing = events.filter(({ type, userId, webhookUrl }) => type === 'completed' && webhookUrl !== undefined &&
      !targets.get(userId)?.some(({ kind, url, status }) => kind === 'job' && url === webhookUrl && status === 'active'))
    if (missing.length === 0) return targets
    await createJobWebhooks(sql, box, missing)
    return await readTargets(sql, events)
  }
}

/** Two statements, whatever their number. They have no beginning: the event that names one is older than it. */
async function createJobWebhooks (sql: RawSql, box: SecretBox, events: ToldJobEvent[]): Promise<void> {
  const users = [...new Set(events.map(({ userId }) => userId))]
  await sql`
    insert into webhooks.secrets (user_id, ciphertext)
    select * from unnest(${users}::text[], ${users.map(() => box.seal(newSigningSecret()))}::text[])
    on conflict do nothing`
  await sql`
    insert into webhooks.webhooks (user_id, kind, url, event_type, since_ms, since_seq)
    select distinct user_id, 'job', url, 'completed', 0, 0
    from unnest(${events.map(({ userId }) => userId)}::text[], ${events.map(({ webhookUrl }) => webhookUrl ?? '')}::text[]) as e (user_id, url)
    order by user_id, url
    on conflict (user_id, md5(url)) where kind = 'job' and deleted_at is null do update set
      status = 'active', disabled_reason = null, failing_since = null, failures = 0, open_until = null, recover_at = now(), updated_at = greatest(now(), webhooks.updated_at + interval '1 ms')`
}

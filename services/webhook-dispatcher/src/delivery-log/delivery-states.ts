import type { DeliveryStates } from '@tidings/contracts'
import type { StreamReader } from '@tidings/job-events'
import type { Sql } from '../db/sql.ts'
import { oldestDueSeconds } from '../delivery/claim/oldest-due.ts'
import { lagSeconds } from '../fan-out/shards.ts'

const MAX_ROWS = 100
const MAX_COUNTED = 100_000

type Failing = {
  id: number
  user_id: string
  url: string
  status: DeliveryStates['failing'][number]['status']
  disabled_reason: string | null
  failures: number
  failing_since: Date | null
  open_until: Date | null
}

/** What all dispatchers have to do, and what they hold. The webhooks are read as a whole: operators ask rarely. */
export async function deliveryStates (sql: Sql, stream: Pick<StreamReader, 'last'>): Promise<DeliveryStates> {
  const [lag, oldest, [row], workers, failing] = await Promise.all([
    lagSeconds(stream, sql),
    oldestDueSeconds(sql, []),
    sql<{ pending: number }[]>`
      select count(*)::int as pending from (
        select from webhooks.deliveries where state = 'pending' limit ${MAX_COUNTED}) counted`,
    sql<{ host: string, until: Date, shards: number }[]>`
      select w.host, w.lease_until as until, count(p.shard)::int as shards
      from webhooks.workers w left join webhooks.shard_positions p on p.worker_id = w.id
      where w.lease_until > now() group by w.id order by w.id limit ${MAX_ROWS}`,
    sql<Failing[]>`
      select id, user_id, url, status, disabled_reason, failures, failing_since, open_until
      from webhooks.webhooks where deleted_at is null and (failures > 0 or status = 'disabled')
      order by failing_since nulls last, id limit ${MAX_ROWS}`
  ])
  return {
    fanOutLagMs: Math.round(lag * 1000),
    oldestDueMs: Math.max(0, Math.round(oldest * 1000)),
    pending: row?.pending ?? 0,
    workers: workers.map(({ host, until, shards }) => ({ host, leaseUntil: until.toISOString(), shards })),
    failing: failing.map(webhook => ({
      id: webhook.id,
      userId: webhook.user_id,
      url: webhook.url,
      status: webhook.status,
      disabledReason: webhook.disabled_reason,
      failures: webhook.failures,
      failingSince: webhook.failing_since?.toISOString() ?? null,
      openUntil: webhook.open_until?.toISOString() ?? null
    }))
  }
}

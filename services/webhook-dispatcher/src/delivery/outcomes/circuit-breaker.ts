import type { Sql } from '../../db/sql.ts'
import { TRIP_AFTER } from '../scheduler/endpoint.ts'
import type { TaskOutcome } from './update-outcomes.ts'
import { isEndOfJobUrl, isGone } from '../attempt/retry-policy.ts'

/** What a batch of attempts says of one endpoint. */
export type EndpointTally = {
  webhookId: number
  succeeded: boolean
  /** Since the last success. */
  failures: number
  gone: boolean
  /** Completions and failures that have failed for good. */
  lost: number
  pausedUntil: number | undefined
}

export type EndpointHealth = { id: number, failures: number, open_until: number, status: string }

export type HealthPolicy = {
  /** The breaker opens when an endpoint has failed for this long too. It pauses for as long, then for half the time that it has failed. */
  breakerMs: number
  breakerMaxMs: number
  disableAfterMs: number
  /** How long after a delivery has failed for good its endpoint is first probed with it; undefined: never. */
  probeAfterMs: number | undefined
}

/** Failures in a row of an endpoint that is dead; time alone does not tell where it is seldom told of anything. */
const DEAD_AFTER = 10
const GONE_REASON = 'The endpoint answered 410 Gone'

/** The signs of attempts, by endpoint; none of an endpoint that was well and still is. */
export function tallyByEndpoint (results: TaskOutcome[], wasFailing: (webhookId: number) => boolean): EndpointTally[] {
  const signs = new Map<number, EndpointTally>()
  for (const { task, result } of results) {
    if (!result.attempt) continue
    const { outcome, pausedUntil } = result.attempt
    const sign = signs.get(task.target.id) ?? { webhookId: task.target.id, succeeded: false, failures: 0, gone: false, lost: 0, pausedUntil: undefined }
    signs.set(task.target.id, sign)
    if (outcome.ok) Object.assign(sign, { succeeded: true, failures: 0 })
    else sign.failures++
    sign.gone ||= isGone(outcome) && !isEndOfJobUrl(task, outcome)
    if (result.decision.state === 'failed' && task.type !== 'progress' && task.orderingKey !== null) sign.lost++
    sign.pausedUntil = pausedUntil ?? sign.pausedUntil
  }
  return [...signs.values()].filter(({ webhookId, failures, gone, lost }) => failures > 0 || gone || lost > 0 || wasFailing(webhookId))
}

/**
 * Writes the endpoints' health: failures in a row and since when, the breaker's
 * pause, and the end of an endpoint that is gone or did nothing but fail for
 * too long. One statement; rows are locked in the order of their ids, since
 * replicas write the same ones.
 */
export async function updateHealth (sql: Sql, signs: EndpointTally[], { breakerMs, breakerMaxMs, disableAfterMs, probeAfterMs }: HealthPolicy): Promise<EndpointHealth[]> {
  const days = Number((disableAfterMs / 86_400_000).toFixed(1))
  return await sql<EndpointHealth[]>`
    with r as materialized (
      select * from unnest(
        ${signs.map(sign => sign.webhookId)}::int[], ${signs.map(sign => Number(sign.succeeded))}::int[], ${signs.map(sign => sign.failures)}::int[],
        ${signs.map(sign => Number(sign.gone))}::int[], ${signs.map(sign => sign.pausedUntil === undefined ? null : sign.pausedUntil - Date.now())}::float8[],
        ${signs.map(sign => sign.lost)}::int[]
      ) as r (id, succeeded, failures, gone, paused_ms, lost)
    ),
    locked as materialized (
      select w.id, w.failures, w.failing_since, w.open_until from webhooks.webhooks w join r on r.id = w.id
      order by w.id for no key update of w
    ),
    counted as (
      select r.id, r.gone = 1 as gone, r.lost > 0 as has_lost, l.failures > 0 as was_failing,
        -- A success closes the breaker, and when it did is kept: what has waited behind it is due since then. What the
        -- endpoint itself has asked for stands, whatever else was in flight.
        case when r.succeeded = 1 and l.failures >= ${TRIP_AFTER} then least(l.open_until, now()) else l.open_until end as open_until,
        now() + r.paused_ms * interval '1 ms' as paused_until,
        r.failures + case when r.succeeded = 1 then 0 else l.failures end as failures,
        case when r.failures > 0 then coalesce(case when r.succeeded = 1 then null else l.failing_since end, now()) end as failing_since
      from r join locked l on l.id = r.id
    ),
    judged as (
      select *,
        failures >= ${TRIP_AFTER} and failing_since <= now() - ${breakerMs}::int * interval '1 ms' as is_tripped,
        failures >= ${DEAD_AFTER} and failing_since <= now() - ${disableAfterMs}::float8 * interval '1 ms' as is_dead
      from counted
    )
    update webhooks.webhooks w set
      failures = j.failures,
      failing_since = j.failing_since,
      open_until = greatest(
        j.open_until,
        case when is_tripped then now() + least(${breakerMaxMs}::int * interval '1 ms', greatest(${breakerMs}::int * interval '1 ms', (now() - j.failing_since) / 2)) end,
        j.paused_until),
      status = case when (gone or is_dead) and w.status = 'active' then 'disabled' else w.status end,
      disabled_reason = case
        when w.status <> 'active' then w.disabled_reason
        when gone then ${GONE_REASON}
        when is_dead then ${`Every attempt of the last ${days} days failed`} end,
      -- It answers again, or is to be probed.
      recover_at = coalesce(
        case when j.failures = 0 and (was_failing or has_lost) then now() + 0 * ${probeAfterMs ?? null}::float8 * interval '1 ms' end,
        w.recover_at,
        case when has_lost then now() + ${probeAfterMs ?? null}::float8 * interval '1 ms' end)
    from judged j where w.id = j.id
    returning w.id, w.failures, coalesce((extract(epoch from w.open_until) * 1000)::bigint, 0) as open_until, w.status`
}

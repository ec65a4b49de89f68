import type { Sql } from '../../db/sql.ts'
import { TRIP_AFTER } from '../scheduler/endpoint-circuit.ts'
import type { TaskOutcome } from './outcome-write.ts'
import { isEndOfJobUrl, isGone } from '../attempt/retry-policy.ts'

/** The attempts of a batch at one endpoint, counted. */
export type EndpointTally = {
  webhookId: number
  succeeded: boolean
  /** Since the last success. */
  failures: number
  gone: boolean
  /** Deliveries of completions and failures that have failed for good. */
  lost: number
  pausedUntil: number | undefined
}

export type EndpointHealth = { id: number, failures: number, open_until: number, status: string }

export type HealthPolicy = {
  /**
   * How long an endpoint must fail before its circuit opens; also the first pause, then half of the time that it has
   * failed.
   */
  breakerMs: number
  breakerMaxMs: number
  disableAfterMs: number
  /** How long after a delivery failed for good the endpoint is first probed with it; undefined: never. */
  probeAfterMs: number | undefined
}

/** Failures in a row before an endpoint is disabled; time alone proves nothing about an endpoint with few events. */
const DEAD_AFTER = 10
const GONE_REASON = 'The endpoint answered 410 Gone'

/** Counts attempts by endpoint; endpoints that were healthy and still are have no tally. */
export function tallyByEndpoint (
  results: readonly TaskOutcome[], wasFailing: (webhookId: number) => boolean
): EndpointTally[] {
  const tallies = new Map<number, EndpointTally>()
  for (const { task, result } of results) {
    if (!result.attempt) continue
    const { outcome, pausedUntil } = result.attempt
    const { id: webhookId } = task.target
    const tally = tallies.get(webhookId) ??
      { webhookId, succeeded: false, failures: 0, gone: false, lost: 0, pausedUntil: undefined }
    tallies.set(webhookId, tally)
    if (outcome.ok) Object.assign(tally, { succeeded: true, failures: 0 })
    else tally.failures++
    tally.gone ||= isGone(outcome) && !isEndOfJobUrl(task, outcome)
    if (result.decision.state === 'failed' && task.type !== 'progress' && task.orderingKey !== null) tally.lost++
    tally.pausedUntil = pausedUntil ?? tally.pausedUntil
  }
  return [...tallies.values()].filter(({ webhookId, failures, gone, lost }) =>
    failures > 0 || gone || lost > 0 || wasFailing(webhookId))
}

/**
 * Writes the endpoints' health in one statement: failures in a row and since
 * when, the pause of an open circuit, and the disabling of an endpoint that is
 * gone or has only failed for too long. Rows are locked in the order of their
 * ids, since replicas write the same ones.
 */
export async function updateHealth (
  sql: Sql, tallies: EndpointTally[], { breakerMs, breakerMaxMs, disableAfterMs, probeAfterMs }: HealthPolicy
): Promise<EndpointHealth[]> {
  const days = Number((disableAfterMs / 86_400_000).toFixed(1))
  return await sql<EndpointHealth[]>`
    with r as materialized (
      select * from unnest(
        ${tallies.map(tally => tally.webhookId)}::int[], ${tallies.map(tally => Number(tally.succeeded))}::int[], ${tallies.map(tally => tally.failures)}::int[],
        ${tallies.map(tally => Number(tally.gone))}::int[], ${tallies.map(tally => tally.pausedUntil === undefined ? null : tally.pausedUntil - Date.now())}::float8[],
        ${tallies.map(tally => tally.lost)}::int[]
      ) as r (id, succeeded, failures, gone, paused_ms, lost)
    ),
    locked as materialized (
      select w.id, w.failures, w.failing_since, w.open_until from webhooks.webhooks w join r on r.id = w.id
      order by w.id for no key update of w
    ),
    counted as (
      select r.id, r.gone = 1 as gone, r.lost > 0 as has_lost, l.failures > 0 as was_failing,
        -- A success closes the circuit, and the time of that is kept: deliveries that waited are due since then. A pause that
        -- the endpoint itself asked for stands, whatever else was in flight.
        case when r.succeeded = 1 and l.failures >= ${TRIP_AFTER} then least(l.open_until, now()) else l.open_until end as open_until,
        now() + r.paused_ms * interval '1 ms' as paused_until,
        r.failures + case when r.succeeded = 1 then 0 else l.failures end as failures,
        case when r.failures > 0 then coalesce(case when r.succeeded = 1 then null else l.failing_since end, now()) end as failing_since
      from r join locked l on l.id = r.id
    ),
    decided as (
      select *,
        failures >= ${TRIP_AFTER} and failing_since <= now() - ${breakerMs}::int * interval '1 ms' as is_tripped,
        failures >= ${DEAD_AFTER} and failing_since <= now() - ${disableAfterMs}::float8 * interval '1 ms' as is_dead
      from counted
    )
    update webhooks.webhooks w set
      failures = d.failures,
      failing_since = d.failing_since,
      open_until = greatest(
        d.open_until,
        case when is_tripped then now() + least(${breakerMaxMs}::int * interval '1 ms', greatest(${breakerMs}::int * interval '1 ms', (now() - d.failing_since) / 2)) end,
        d.paused_until),
      status = case when (gone or is_dead) and w.status = 'active' then 'disabled' else w.status end,
      disabled_reason = case
        when w.status <> 'active' then w.disabled_reason
        when gone then ${GONE_REASON}
        when is_dead then ${`Every attempt of the last ${days} days failed`} end,
      -- When to look for lost deliveries: now that it answers again, or at the next probe.
      recover_at = coalesce(
        case when d.failures = 0 and (was_failing or has_lost) then now() + 0 * ${probeAfterMs ?? null}::float8 * interval '1 ms' end,
        w.recover_at,
        case when has_lost then now() + ${probeAfterMs ?? null}::float8 * interval '1 ms' end)
    from decided d where w.id = d.id
    returning w.id, w.failures, coalesce((extract(epoch from w.open_until) * 1000)::bigint, 0) as open_until, w.status`
}

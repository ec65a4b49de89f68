import { formatEventId } from '@tidings/job-events'
import { pendingWebhooks } from '../../db/fragments.ts'
import type { Sql } from '../../db/sql.ts'
import { INITIAL_CONCURRENCY } from '../scheduler/concurrency-window.ts'
import { TRIP_AFTER } from '../scheduler/endpoint-circuit.ts'
import type { Target, Task } from '../attempt/task.ts'

/** Endpoints read in one claim; the next claim goes on after them. */
const MAX_ENDPOINTS = 1000
/** Due rows of one endpoint, and ordering keys, among which its heads are looked for. */
const MAX_SCANNED = 100
/** Deliveries of one ordering key, the head included. */
const MAX_RUN = 20

export type ClaimRequest = {
  workerId: number
  /** Runs in all: a head with its successors, or a single delivery. */
  maxRuns: number
  /** Runs by endpoint, for the endpoints that this process knows. */
  capacities: Map<number, number>
  /** Only endpoints with a higher id are read. */
  after: number
  /** How long a probe of an open circuit may take: meanwhile no other replica probes. */
  probeMs: number
}

export type Claimed = {
  tasks: Task[]
  /** Where the next claim goes on; 0 after the last endpoint. */
  after: number
  /** The time of day at Postgres. */
  now: number
}

type Row = {
  now: number
  last: number | null
  scanned: number
  id: number | null
  webhook_id: number
  event_ms: number
  event_seq: number
  type: string
  /** The ordering key. */
  chain: string | null
  attempts: number
  due_at: number
  /** How long it has been due, in milliseconds by the clock of Postgres. */
  due_for: number
  message_id: string | null
  url: string | null
  body: string | null
  /** By webhook, in the first row alone; null without tasks. */
  targets: Record<number, Target> | null
}

/**
 * Claims due deliveries, endpoint by endpoint within the capacity of each, so that a million rows of a dead endpoint
 * cost the others nothing. Only the oldest pending delivery of an ordering key, its head, can be claimed; it brings its
 * successors. An endpoint whose circuit is open gives one head, as a probe.
 *
 * The order and limit of each subquery are what holds the planner to its index: as NOT EXISTS, the test for the head
 * becomes an anti join, which reads all that an endpoint has waiting. Pending rows are asked for as not finished
 * wherever the index due_deliveries must not serve: it is on `state`, and seems best for anything while the statistics
 * know of no pending rows.
 */
export async function claimDue (sql: Sql, request: ClaimRequest): Promise<Claimed> {
  const { workerId, maxRuns, capacities, after, probeMs } = request
  const rows = await sql<Row[]>`
    with recursive
    -- The workers whose claims hold.
    live as materialized (select id from webhooks.workers where lease_until > now()),
    -- One row per webhook with pending deliveries.
    ${pendingWebhooks(sql, after)},
    scanned as materialized (select webhook_id from pending_webhooks where webhook_id is not null limit ${MAX_ENDPOINTS}),
    -- The endpoints that may be tried now, with the number of runs that each may get.
    endpoint as materialized (
      select w.id, w.failures, least(coalesce(known.capacity, ${INITIAL_CONCURRENCY}), case when w.failures >= ${TRIP_AFTER} then 1 end) as capacity
      from scanned join webhooks.webhooks w on w.id = scanned.webhook_id
      left join unnest(${[...capacities.keys()]}::int[], ${[...capacities.values()]}::int[]) as known (id, capacity) on known.id = w.id
      where w.status = 'active' and w.deleted_at is null and (w.open_until is null or w.open_until <= now())
    ),
    -- The heads: first among the longest due rows of the endpoint; where too few of those are heads (one job's long history,
    -- say, or what other claims hold), among the oldest of each key, hopping from key to key. No row is met in both: met
    -- twice, it would take the place of another. Locked, so that no other replica claims them.
    head as materialized (
      select h.* from endpoint e cross join lateral (
        select c.id, c.webhook_id, c.chain, c.event_ms, c.event_seq from (
          (select d.* from webhooks.deliveries d
            where d.webhook_id = e.id and d.state = 'pending' and d.due_at <= now()
            order by d.due_at, d.id limit ${MAX_SCANNED})
          union all
          (with recursive hop (chain) as (
              (select chain from webhooks.deliveries where webhook_id = e.id and finished_at is null and chain is not null order by chain limit 1)
              union all
              select (select d.chain from webhooks.deliveries d
                where d.webhook_id = e.id and d.finished_at is null and d.chain > hop.chain order by d.chain limit 1)
              from hop where hop.chain is not null
            )
            select o.* from (select chain from hop limit ${MAX_SCANNED}) hop cross join lateral (
              select d.* from webhooks.deliveries d
              where d.webhook_id = e.id and d.chain = hop.chain and d.finished_at is null
              order by d.event_ms, d.event_seq limit 1) o
            where o.due_at <= now() and (o.due_at, o.id) > (
              select d.due_at, d.id from webhooks.deliveries d
              where d.webhook_id = e.id and d.state = 'pending' and d.due_at <= now()
              order by d.due_at, d.id offset ${MAX_SCANNED - 1} limit 1))
        ) c cross join lateral (
          select from webhooks.deliveries d
          where d.id = c.id and d.finished_at is null and d.due_at <= now() and (d.claim is null or d.claim not in (select id from live))
          for update of d skip locked) locked
        where (c.claim is null or c.claim not in (select id from live))
          and (c.chain is null or c.id = (
            select p.id from webhooks.deliveries p
            where p.webhook_id = c.webhook_id and p.chain = c.chain and p.finished_at is null
            order by p.event_ms, p.event_seq limit 1))
        limit e.capacity) h
      limit ${maxRuns}
    ),
    -- The heads with their successors, up to the first that is held: what follows waits behind that one.
    taken as (
      select id from head
      union
      select f.id from head h cross join lateral (
        select next.id, bool_and(next.claim is null or next.claim not in (select id from live)) over (order by next.event_ms, next.event_seq) as is_free
        from (
          select d.id, d.claim, d.event_ms, d.event_seq from webhooks.deliveries d
          where d.webhook_id = h.webhook_id and d.chain = h.chain and d.finished_at is null
            and (d.event_ms, d.event_seq) > (h.event_ms, h.event_seq)
          order by d.event_ms, d.event_seq
          limit ${MAX_RUN - 1}) next) f
      where f.is_free
    ),
    claimed as (
      update webhooks.deliveries d set claim = ${workerId}
      from taken t where d.id = t.id and d.finished_at is null and (d.claim is null or d.claim not in (select id from live))
      returning d.*
    ),
    -- The webhooks that are probed, locked in the order of their ids, as everywhere.
    probing as materialized (
      select w.id from webhooks.webhooks w
      where w.failures >= ${TRIP_AFTER} and w.open_until is not null and w.id = any(array(select distinct webhook_id from head))
      order by w.id for no key update
    ),
    -- Until the probe ends, or has taken too long, the others leave these webhooks alone. A longer pause that was recorded
    -- while this statement waited for the row stands.
    probed as (
      update webhooks.webhooks w set open_until = greatest(w.open_until, now() + ${probeMs}::int * interval '1 ms')
      where w.id = any(array(select id from probing))
    )
    -- Targets are read once per endpoint, not once per delivery, whatever the plan.
    select (extract(epoch from now()) * 1000)::bigint as now, scan.last, scan.scanned, c.id, c.webhook_id, c.event_ms, c.event_seq, c.type, c.chain, c.attempts,
      c.message_id, c.url,
      (extract(epoch from c.due_at) * 1000)::bigint as due_at, (extract(epoch from now() - c.due_at) * 1000)::bigint as due_for, coalesce(c.body, e.body) as body,
      case when row_number() over listed = 1 then
        (select jsonb_object_agg(t.id, to_jsonb(t)) from webhooks.targets t where t.id = any(array(select distinct webhook_id from head)))
      end as targets
    from (select max(webhook_id) as last, count(*) as scanned from scanned) scan
    left join claimed c on true
    left join lateral (
      -- The limit is what lets the planner look for each in its day, and read no day as a whole.
      select body from webhooks.events e where e.event_ms = c.event_ms and e.event_seq = c.event_seq limit 1) e on true
    window listed as (order by c.webhook_id, c.chain, c.event_ms, c.event_seq)
    order by c.webhook_id, c.chain, c.event_ms, c.event_seq`
  const { now, last, scanned, targets } = rows[0] as Row
  return {
    now,
    tasks: rows.filter(row => row.id !== null)
      .map(row => taskOf(row, targets?.[row.webhook_id] as Target, workerId)),
    after: scanned === MAX_ENDPOINTS ? last ?? 0 : 0
  }
}

function taskOf (row: Row, target: Target, workerId: number): Task {
  const eventId = { ms: row.event_ms, seq: row.event_seq }
  return {
    target,
    orderingKey: row.chain,
    eventId,
    type: row.type,
    url: row.url,
    messageId: row.message_id ?? formatEventId(eventId),
    body: row.body ?? '',
    attempt: row.attempts + 1,
    acceptedAt: row.event_ms,
    dueAt: row.due_at,
    // At the earliest the start of this process: time without any process is not the endpoint's.
    waitingSince: Math.max(0, performance.now() - row.due_for),
    workerId,
    id: row.id as number
  }
}

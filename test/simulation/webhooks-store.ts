import { compareEventIds, formatEventId, isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Target } from '../../services/webhook-dispatcher/src/delivery/attempt/task.ts'
import type { Statement } from './postgres-client.ts'
import type { Connection, Simulation } from './simulation.ts'

/** What a mutation of the protocol does differently. */
export type WebhooksMutation = {
  /** Rows are inserted wherever the shard's position is. */
  insertsAnywhere?: boolean
  /** An outcome is written by workers that do not hold the row. */
  writesAnyRow?: boolean
  /** A claim holds for nobody. */
  ignoresClaims?: boolean
  /** Any pending delivery of an ordering key is claimed, not only the oldest. */
  claimsOutOfOrder?: boolean
  /** A lease ends in Postgres before its worker expects that. */
  endsLeasesEarly?: boolean
  /** New events do not look for older deliveries of their job that wait. */
  seesNoPending?: boolean
  /** A standby that is promoted continues the timeline of the primary. */
  keepsTimeline?: boolean
}

export type Delivery = {
  id: number
  webhookId: number
  event: EventId
  type: string
  chain: string | null
  state: string
  claim: number | null
  dueAt: number
  attempts: number
  finished: boolean
}

type WebhooksOptions = { shards: number, targets: Target[], mutation?: WebhooksMutation | undefined }
type Worker = { leaseUntil: number, lock: Connection | undefined }
type Shard = { shard: number, position: EventId, workerId: number | null }
type State = { deliveries: Delivery[], shards: Shard[], workers: [number, Worker][] }

const MAX_RUN = 20
const INITIAL_CONCURRENCY = 2
const OUTCOME = ['state', 'delayMs', 'reason', 'startedAt', 'dnsMs', 'connectMs', 'ttfbMs', 'totalMs'] as const

/**
 * The tables of the dispatcher, and what its statements do to them: each mirrors the one named in its comment, in
 * services/webhook-dispatcher/src. Health of endpoints and superseded progress are left out.
 */
export class WebhooksStore {
  readonly deliveries: Delivery[] = []
  readonly shards: Shard[]
  readonly workers = new Map<number, Worker>()
  readonly targets: Target[]
  readonly gaps: [from: EventId, to: EventId][] = []
  readonly #bodies = new Map<string, string>()
  readonly #moved = new WeakSet<Statement>()
  readonly #simulation: Simulation
  readonly #mutation: WebhooksMutation
  #lastWorker = 0
  #timeline = 1
  #standby: State | undefined
  /** When a standby was promoted last. */
  restoredAt = -Infinity

  constructor (
    simulation: Simulation, { shards, targets, mutation = {} }: WebhooksOptions
  ) {
    this.#simulation = simulation
    this.#mutation = mutation
    this.targets = targets
    this.shards = Array.from({ length: shards }, (_, shard) => ({ shard, position: ZERO, workerId: null }))
  }

  execute = (statement: Statement, connection: Connection): object[] => {
    const found = this.#statements.find(([start]) => statement.text.startsWith(start))
    if (!found) throw new Error(`A statement that is not simulated: ${statement.text}`)
    return found[1](statement, connection)
  }

  /** Whether a worker's claims hold. */
  isLive (id: number | null): boolean {
    return id !== null && (this.workers.get(id)?.leaseUntil ?? 0) > this.#simulation.time.now
  }

  /** The standby does not follow any more. */
  lag (): void {
    const { deliveries, shards, workers } = this
    this.#standby ??= structuredClone({
      deliveries, shards, workers: [...workers].map(([id, { leaseUntil }]) => [id, { leaseUntil, lock: undefined }])
    })
  }

  /**
   * The standby takes over where it lags; false where there is none. The sequence of workers goes on, as Postgres logs
   * some numbers ahead; that of deliveries gives out numbers again.
   */
  promote (): boolean {
    const standby = this.#standby
    if (!standby) return false
    this.#standby = undefined
    this.deliveries.splice(0, Infinity, ...standby.deliveries)
    this.shards.splice(0, Infinity, ...standby.shards)
    this.workers.clear()
    for (const [id, worker] of standby.workers) this.workers.set(id, worker)
    if (!this.#mutation.keepsTimeline) this.#timeline++
    this.restoredAt = this.#simulation.time.now
    return true
  }

  /** A connection was lost, and the advisory locks of its session with it. */
  unlock (connection: Connection): void {
    for (const worker of this.workers.values()) if (worker.lock === connection) worker.lock = undefined
  }

  readonly #statements: [start: string, run: (statement: Statement, connection: Connection) => object[]][] = [
    // fan-out/shards.ts: prepareShards
    ['lock table webhooks.shard_positions', () => []],
    ['select shard_count as shards', () => this.shards.map(({ position: { ms, seq } }) =>
      ({ shards: this.shards.length, event_ms: ms, event_seq: seq }))],
    // releaseShard, acquireShard
    ['update webhooks.shard_positions set worker_id = null', s => {
      const shard = this.#shardOf(s)
      if (shard.workerId === s.number(/worker_id = (\$\d+)/)) shard.workerId = null
      return []
    }],
    ['update webhooks.shard_positions set worker_id', s => {
      const shard = this.#shardOf(s)
      const workerId = s.number(/set worker_id = (\$\d+)/)
      if (shard.workerId !== workerId && this.#holds(shard.workerId)) return []
      shard.workerId = workerId
      return [shard.position]
    }],
    // recordGap
    ['with moved as ( update webhooks.shard_positions set event_ms', s =>
      s.text.includes('insert into webhooks.gaps') ? this.#recordGap(s) : this.#insertRows(s)],
    // fan-out/find-pending-groups.ts
    ['select g.webhook_id', s => this.#findPendingGroups(s)],
    // delivery/outcomes/update-rows.ts
    ['with r as materialized ( select * from unnest($1::bigint[]', s => this.#updateRows(s)],
    // delivery/claim/claim-due.ts
    ['with recursive -- The workers whose claims hold', s => this.#claimDue(s)],
    // db/timeline.ts
    ['select substr(pg_walfile_name', () => [{ timeline: String(this.#timeline).padStart(8, '0') }]],
    // delivery/claim/worker-lease.ts: register, renew, deleteAbandoned
    ['with registered as', (s, connection) => {
      const id = ++this.#lastWorker
      this.workers.set(id, { leaseUntil: this.#leaseUntil(s), lock: connection })
      return [{ id }]
    }],
    ['select pg_advisory_lock(', (s, connection) => {
      const worker = this.workers.get(s.number(/, (\$\d+)::int\)/))
      if (worker) worker.lock = connection
      return [{}]
    }],
    ['update webhooks.workers set lease_until', s => {
      const id = s.number(/where id = (\$\d+)/)
      if (!this.isLive(id)) return []
      Object.assign(this.workers.get(id) ?? {}, { leaseUntil: this.#leaseUntil(s) })
      return [{ id }]
    }],
    ['delete from webhooks.workers where id = any($1::bigint[]) and pg_try',
      s => this.#deleteWorkers(s, ({ lock }) => !lock)],
    ['delete from webhooks.workers', s => this.#deleteWorkers(s, () => true)],
    // delivery/claim/dead-worker-reaper.ts
    ['with locking as materialized', () => [...this.workers].flatMap(([id, { leaseUntil, lock }]) =>
      leaseUntil > this.#simulation.time.now && !lock ? [{ id }] : [])],
    // delivery/outcomes: lockWebhooks, supersedeProgress, updateHealth
    ['select from webhooks.webhooks', () => []],
    ['with affected as', () => []],
    ['with r as materialized ( select * from unnest( $1::int[]', () => []]
  ]

  #holds (workerId: number | null): boolean {
    return !this.#mutation.ignoresClaims && this.isLive(workerId)
  }

  #shardOf (s: Statement): Shard {
    return this.shards[s.number(/where shard = (\$\d+)/)] as Shard
  }

  #leaseUntil (s: Statement): number {
    const share = this.#mutation.endsLeasesEarly ? 0.5 : 1
    return this.#simulation.time.now + share * s.number(/now\(\) \+ (\$\d+)::int \* interval/)
  }

  #deleteWorkers (s: Statement, isDead: (worker: Worker) => boolean): object[] {
    const ids = s.parameter(/any\((\$\d+)/) as number[]
    const deleted = ids.filter(id => this.workers.has(id) && isDead(this.workers.get(id) as Worker))
    for (const id of deleted) this.workers.delete(id)
    return Object.assign([], { count: deleted.length })
  }

  /** The shard whose position a statement moves, where it is at `from` and the worker's. */
  #movable (s: Statement): Shard | undefined {
    const shard = this.#shardOf(s)
    const from = { ms: s.number(/and event_ms = (\$\d+)/), seq: s.number(/and event_seq = (\$\d+)/) }
    const isMovable = shard.workerId === s.number(/worker_id = (\$\d+)/) && compareEventIds(shard.position, from) === 0
    return isMovable || this.#mutation.insertsAnywhere ? shard : undefined
  }

  #move (shard: Shard, s: Statement): void {
    const to = { ms: s.number(/set event_ms = (\$\d+)/), seq: s.number(/event_seq = (\$\d+)/) }
    if (!isNewer(to, shard.position)) this.#simulation.violate(`shard ${shard.shard} went back to ${formatEventId(to)}`)
    shard.position = to
  }

  #recordGap (s: Statement): object[] {
    const shard = this.#movable(s)
    if (!shard) return []
    const from = shard.position
    this.#move(shard, s)
    this.gaps.push([from, shard.position])
    return [{ id: this.gaps.length }]
  }

  /** Moves the position of an insert, whose rows follow in a step of their own. */
  moveFirst = (s: Statement): void => {
    if (!s.text.includes('insert into webhooks.events')) return
    const shard = this.#movable(s)
    if (!shard) return
    this.#move(shard, s)
    this.#moved.add(s)
  }

  /** delivery/outcomes/insert-rows.ts */
  #insertRows (s: Statement): object[] {
    if (!this.#moved.has(s)) {
      const shard = this.#movable(s)
      if (!shard) return []
      this.#move(shard, s)
    }
    const events = s.rows(/insert into webhooks.events/, ['ms', 'seq', 'user', 'type', 'chain', 'body'])
    for (const { ms, seq, body } of events) {
      this.#bodies.set(formatEventId({ ms, seq }), body)
    }
    const names = ['webhookId', 'ms', 'seq', 'type', 'chain', 'url', 'claim', ...OUTCOME] as const
    const rows = s.rows(/r as materialized/, names).flatMap(({ webhookId, ms, seq, type, chain, claim, ...outcome }) => {
      const event = { ms, seq }
      const isSame = (row: Delivery) => row.webhookId === webhookId && compareEventIds(row.event, event) === 0
      const isKnown = this.deliveries.some(isSame)
      if (isKnown) return []
      const row: Delivery = {
        id: this.deliveries.length + 1, webhookId, event, type, chain, claim, attempts: 0, ...this.#written(outcome)
      }
      row.attempts = Number(outcome.totalMs !== null)
      this.deliveries.push(row)
      return claim === null ? [] : [{ id: row.id, webhook_id: webhookId, event_ms: ms, event_seq: seq }]
    })
    return rows.length > 0 ? rows : [{ id: null }]
  }

  #written ({ state, delayMs }: { state: string, delayMs: number | null }) {
    return { state, dueAt: this.#simulation.time.now + (delayMs ?? 0), finished: state !== 'pending' }
  }

  #updateRows (s: Statement): object[] {
    for (const { id, claim, ...outcome } of s.rows(/r as materialized/, ['id', 'claim', ...OUTCOME] as const)) {
      const row = this.deliveries[id - 1]
      if (!row || row.finished || (row.claim !== claim && !this.#mutation.writesAnyRow)) continue
      const attempts = row.attempts + Number(outcome.totalMs !== null)
      Object.assign(row, this.#written(outcome), { claim: null, attempts })
    }
    return []
  }

  #pendingOf (webhookId: number, chain: string | null): Delivery[] {
    return this.deliveries
      .filter(row => row.webhookId === webhookId && row.chain === chain && !row.finished)
      .sort((a, b) => compareEventIds(a.event, b.event))
  }

  #findPendingGroups (s: Statement): object[] {
    if (this.#mutation.seesNoPending) return []
    const workerId = s.number(/d\.claim is distinct from (\$\d+)/)
    return s.rows(/from unnest\(/, ['webhookId', 'orderingKey']).flatMap(({ webhookId, orderingKey }) => {
      const pending = this.#pendingOf(webhookId, orderingKey)
      const ours = pending.every(({ claim }) => claim === workerId)
      return pending.length === 0 ? [] : [{ webhook_id: webhookId, ordering_key: orderingKey, ours }]
    })
  }

  #claimDue (s: Statement): object[] {
    const { now } = this.#simulation.time
    const workerId = s.number(/set claim = (\$\d+)/)
    let runs = s.number(/limit e\.capacity\) h limit (\$\d+)/)
    const known = new Map(s.rows(/left join unnest\(/, ['id', 'capacity'])
      .map(({ id, capacity }) => [id as number, capacity as number]))
    const claimed: Delivery[] = []
    for (const { id: webhookId } of this.targets) {
      let capacity = known.get(webhookId) ?? INITIAL_CONCURRENCY
      const due = this.deliveries
        .filter(row => row.webhookId === webhookId && !row.finished && row.dueAt <= now && !this.#holds(row.claim))
        .sort((a, b) => a.dueAt - b.dueAt)
      for (const head of due) {
        const pending = this.#pendingOf(webhookId, head.chain)
        if ((head !== pending[0] && !this.#mutation.claimsOutOfOrder) || capacity <= 0 || runs <= 0) continue
        capacity--
        runs--
        const behind = pending.filter(({ event }) => isNewer(event, head.event)).slice(0, MAX_RUN - 1)
        const held = behind.findIndex(({ claim }) => this.#holds(claim))
        claimed.push(head, ...held === -1 ? behind : behind.slice(0, held))
      }
    }
    const rows = [...new Set(claimed)]
    for (const row of rows) row.claim = workerId
    rows.sort((a, b) => a.webhookId - b.webhookId || compareEventIds(a.event, b.event))
    const targets = Object.fromEntries(this.targets.map(target => [target.id, target]))
    const head = { now, last: null, scanned: 0, targets }
    if (rows.length === 0) return [{ ...head, id: null }]
    return rows.map(row => ({
      ...head,
      id: row.id,
      webhook_id: row.webhookId,
      event_ms: row.event.ms,
      event_seq: row.event.seq,
      type: row.type,
      chain: row.chain,
      attempts: row.attempts,
      due_at: row.dueAt,
      due_for: now - row.dueAt,
      message_id: null,
      url: null,
      body: this.#bodies.get(formatEventId(row.event)) ?? null
    }))
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { createLinger, decodeAll, type EventId, type FollowedBatch, type Overtaken } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Delivery } from '../delivery/delivery.ts'
import { createRun, type Run } from '../delivery/run.ts'
import { handedBack, type Result, type Target, type Task } from '../delivery/task.ts'
import { Batch, chainKey } from './batch.ts'
import { chainsOf, plan, type Telling } from './plan.ts'
import { readChains, type WaitingChain } from './read-chains.ts'
import type { TargetsOf } from './job-webhooks.ts'
import type { IngestMetrics } from './metrics.ts'
import { persistBatch } from './persist-batch.ts'
import { recordGap } from './record-gap.ts'
import type { HeldRow, WrittenBatch } from './write-batch.ts'

/**
 * Batches that are posted or written while the next is read, and their tasks: one more batch begins below that. At the
 * highest rates a write takes as long as posting 1,500 tasks does: with 2,000 in all nothing was left to post meanwhile.
 */
const MAX_OPEN = 32
const MAX_OPEN_TASKS = 4000
/** Tasks of one chain that may wait behind each other in memory. */
const MAX_CHAIN = 100
const RETRY_MS = 250
/** Between two writes: what was posted meanwhile is told already, and stands together in one. */
const WRITE_LINGER_MS = 25

type SessionOptions = {
  shard: number
  /** Whose users these are. */
  isOurs: (userId: string) => boolean
  claim: number
  position: EventId
  sql: RawSql
  delivery: Delivery
  targetsOf: TargetsOf
  metrics: IngestMetrics
  log: FastifyBaseLogger
}

export type Session = ReturnType<typeof createSession>

/**
 * One shard's ingest, for as long as this process holds it under one name:
 * posts what is new, then writes it and the position in one statement. Batches
 * overlap; they are written in order, all that are ready at once together.
 */
export function createSession ({ shard, isOurs, claim, position, sql, delivery, targetsOf, metrics, log }: SessionOptions) {
  const { endpoints, lanes, recorder, claimant, aftermath } = delivery
  const runs = new Map<string, Run>()
  const linger = createLinger(WRITE_LINGER_MS)
  const lost = Promise.withResolvers<void>()
  let planned = position
  let open: Batch[] = []
  /** Written while another was being planned: what they left behind may not have been seen in Postgres. */
  let recent: Batch[] = []
  let writing: Promise<void> | undefined
  const batchOf = new WeakMap<Task, Batch>()
  let hasRoom: (() => void) | undefined
  const ended = new AbortController()
  let stopBy = Infinity

  /** Posts a batch and queues it for writing. */
  async function onBatch ({ from, to, entries }: FollowedBatch): Promise<void> {
    while (isFull() && !ended.signal.aborted) await new Promise<void>(resolve => { hasRoom = resolve })
    if (ended.signal.aborted) return
    const askedAt = performance.now()
    const events = decodeAll(entries.filter(({ owner }) => isOurs(owner)), err => log.error({ err }, 'ingest: malformed event'))
    const tellings = plan(events, await targetsOf(events))
    const waiting = await readChains(sql, chainsOf(tellings), claim)
    const batch = new Batch(from, to)
    begin(batch, tellings, waiting)
    recent = recent.filter(({ writtenAt }) => writtenAt > askedAt)
    planned = to
    open.push(batch)
    writing ??= write().finally(() => { writing = undefined })
  }

  function isFull (): boolean {
    return open.length >= MAX_OPEN || open.reduce((sum, { tasks }) => sum + tasks.length, 0) >= MAX_OPEN_TASKS
  }

  function begin (batch: Batch, tellings: Telling[], waiting: WaitingChain[]): void {
    for (const [key, run] of runs) if (run.state === 'ended') runs.delete(key)
    const inPostgres = new Map(waiting.map(chain => [`${chain.webhook_id} ${chain.chain}`, chain]))
    for (const telling of tellings) {
      batch.events.push(telling)
      for (const target of telling.targets) {
        const task = taskOf(telling, target, claim)
        batchOf.set(task, batch)
        admit(batch, task, inPostgres.get(chainKey(task)))
      }
    }
    for (const run of batch.runs) lanes.submit(run)
    batch.close()
  }

  /** Puts a task behind what is under way of its chain, or begins with it, or leaves it to its row. */
  function admit (batch: Batch, task: Task, waiting: WaitingChain | undefined): void {
    const key = chainKey(task)
    const endpoint = endpoints.of(task.target)
    const run = runs.get(key)
    const ahead = [batch, ...open, ...recent].flatMap(({ blocked }) => blocked.get(key) ?? [])
    const isBlocked = ahead.length > 0 || (waiting && !(waiting.ours && run))
    batch.add(task, endpoint)
    if (run && run.state !== 'ended' && !isBlocked && run.tasks.length - run.at < MAX_CHAIN) {
      run.tasks.push(task)
    } else if (!isBlocked && run?.state !== 'running' && run?.state !== 'waiting' && endpoint.isOpenToNews) {
      const begun = createRun(endpoint, [task], onResult)
      runs.set(key, begun)
      batch.runs.push(begun)
    } else {
      const fails = ahead.includes('fails') || endpoint.isShut
      batch.note(task, handedBack({ chain: fails ? 'fails' : isBlocked ? 'waits' : 'flows' }))
    }
  }

  /** A result goes with the row while that is still to be written, and after it once it stands. */
  function onResult (task: Task, result: Result): void {
    if (task.id !== undefined) recorder.add(task, result)
    else batchOf.get(task)?.note(task, result)
  }

  async function write (): Promise<void> {
    for (let first = open[0]; first && !ended.signal.aborted; first = open[0]) {
      await first.ready
      if (!isFull()) await linger.over()
      linger.note()
      const ready = open.findIndex(batch => !batch.isReady)
      // A copy: batches that are planned meanwhile go into `open`, not into what is being written.
      const group = open.slice(0, ready === -1 ? open.length : ready)
      for (const batch of group) batch.seal(lanes)
      if (!await writeGroup(group)) return lose()
      open = open.slice(group.length)
      hasRoom?.()
    }
  }

  /** Writes batches as one; false when the position is not ours to move any more. */
  async function writeGroup (group: Batch[]): Promise<boolean> {
    const tasks = group.flatMap(batch => batch.tasks.map(task => ({ task, result: batch.results.get(task) })))
    const { from } = group[0] as Batch
    const { to } = group.at(-1) as Batch
    const held = await persist({ shard, claim, from, to, events: group.flatMap(({ events }) => events), tasks })
    if (!held) return false
    const now = performance.now()
    for (const batch of group) batch.writtenAt = now
    recent.push(...group)
    metrics.wrote(group.reduce((sum, { events }) => sum + events.length, 0))
    adopt(tasks, held)
    return true
  }

  async function persist (batch: WrittenBatch): Promise<HeldRow[] | undefined> {
    while (!ended.signal.aborted) {
      try {
        return await persistBatch(sql, aftermath, batch)
      } catch (err) {
        // Sent again as it is: what was posted need not be posted again, and the position tells whether it was written after all.
        log.warn({ err }, 'ingest: batch could not be written')
        const isRenamed = claimant.id !== undefined && claimant.id !== claim
        if (isRenamed || performance.now() > stopBy) return undefined
        await sleep(RETRY_MS)
      }
    }
    return undefined
  }

  /** Rows that are held get the outcomes that came while they were written. */
  function adopt (tasks: WrittenBatch['tasks'], held: HeldRow[]): void {
    const ids = new Map(held.map(row => [`${row.webhook_id} ${row.event_ms}-${row.event_seq}`, row.id]))
    for (const { task, result } of tasks) {
      if (result) {
        leave(task, result)
        continue
      }
      const id = ids.get(`${task.target.id} ${task.eventId.ms}-${task.eventId.seq}`)
      if (id === undefined) continue
      task.id = id
      const meanwhile = batchOf.get(task)?.results.get(task)
      if (meanwhile) recorder.add(task, meanwhile)
    }
  }

  /** What stands as due is the claimer's from now on; news of its endpoint queue up behind it. */
  function leave ({ target }: Task, { verdict, attempt }: Result): void {
    if (verdict.state !== 'pending') return
    const endpoint = endpoints.get(target.id)
    if (endpoint && !attempt) endpoint.backlog = true
    delivery.wakeAt(verdict.dueAt)
  }

  function lose (): void {
    if (ended.signal.aborted) return
    ended.abort()
    metrics.lost()
    // What was written in a statement whose answer was lost is held by a name that nobody answers to any more.
    if (claimant.id === claim) claimant.forsake()
    hasRoom?.()
    lost.resolve()
  }

  /** Records that the stream was trimmed before it could be read, and goes on behind the gap. */
  async function onOvertaken (gap: Overtaken): Promise<void> {
    await writing
    if (!await recordGap(sql, { shard, claim, ...gap, position: planned })) return lose()
    planned = gap.resumeAt
    metrics.overtaken(gap.reason)
    log.error({ shard, ...gap }, 'ingest: events were trimmed before they could be told')
  }

  return {
    shard,
    claim,
    onBatch,
    onOvertaken,
    get position () { return planned },
    /** Resolves when another replica has the shard, or this one has lost its name. */
    lost: lost.promise,
    lose,
    /** Resolves when all that was posted is written, or could not be for so long. */
    async drain (withinMs: number): Promise<void> {
      stopBy = performance.now() + withinMs
      await writing
    }
  }
}

function taskOf ({ id, type, chain, body, messageId }: Telling, target: Target, claim: number): Task {
  return { target, chain, eventId: id, type, messageId, body, attempt: 1, acceptedAt: id.ms, dueAt: Date.now(), claim }
}

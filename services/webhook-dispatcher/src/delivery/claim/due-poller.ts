import type { FastifyBaseLogger } from 'fastify'
import { isAway, StepTimeout, type Loops, type RawSql } from '@tidings/service-kit'
import { claimDue } from './claim-due.ts'
import type { WorkerLease } from './worker-lease.ts'
import { INITIAL_CONCURRENCY } from '../scheduler/concurrency-window.ts'
import type { Endpoint } from '../scheduler/endpoint.ts'
import type { EndpointRegistry } from '../scheduler/endpoint-registry.ts'
import type { DeliveryScheduler } from '../scheduler/delivery-scheduler.ts'
import type { OutcomeWriter } from '../outcomes/outcome-writer.ts'
import { createOrderedRun } from '../scheduler/ordered-run.ts'
import { groupKeyOf, type Result, type Task } from '../attempt/task.ts'

/** Finds deliveries that other replicas made due; those of this replica wake the poller. */
const POLL_MS = 500
const FAILED_MS = 1000
/** A delivery due within this time is claimed at its due time; a later one may wait for a poll. */
const TIMED_MS = 10_000
const TICK_MS = 10

type DuePollerOptions = {
  sql: RawSql
  lease: WorkerLease
  endpoints: EndpointRegistry
  scheduler: DeliveryScheduler
  outcomeWriter: OutcomeWriter
  /** Runs that this process may hold at once. */
  maxRuns: number
  probeMs: number
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
  timeoutMs?: number
}

/** Claims due deliveries from Postgres and submits them to the scheduler, until it is stopped. */
export function createDuePoller (options: DuePollerOptions) {
  const { sql, lease, endpoints, scheduler, outcomeWriter, maxRuns, probeMs, loops, log, timeoutMs } = options
  const claiming = loops.watch('claims of due deliveries', timeoutMs)
  let runs = 0
  let after = 0
  const stopping = new AbortController()
  let isAwake = false
  const timers = new Map<number, NodeJS.Timeout>()
  let resume: (() => void) | undefined
  let finished: Promise<void> | undefined

  async function loop (): Promise<void> {
    while (!stopping.signal.aborted) {
      isAwake = false
      const waitMs = await poll().catch(failed)
      if (!isAwake && !stopping.signal.aborted) await waitForWake(waitMs)
    }
  }

  /** Claims once; returns how long to wait before the next claim. */
  async function poll (): Promise<number> {
    const { workerId } = lease
    const free = maxRuns - runs
    if (workerId === undefined || free <= 0) return POLL_MS
    const capacities = new Map([...endpoints.all()].map(endpoint => [endpoint.id, endpoint.capacity]))
    const claimed = await claiming.step(async () =>
      await claimDue(sql, { workerId, maxRuns: free, capacities, after, probeMs }))
    after = claimed.after
    endpoints.clock.sync(claimed.now)
    const groups = groupByOrder(claimed.tasks)
    const perEndpoint = Map.groupBy(groups, ([task]) => task?.target.id ?? 0)
    for (const [webhookId, own] of perEndpoint) accept(own, capacities.get(webhookId) ?? INITIAL_CONCURRENCY)
    clearBacklogs(capacities, perEndpoint)
    return groups.length >= free || after > 0 ? 0 : POLL_MS
  }

  function accept (groups: Task[][], capacity: number): void {
    for (const tasks of groups) {
      const target = tasks[0]?.target
      if (!target) continue
      const endpoint = endpoints.endpointFor(target)
      endpoint.hasBacklog = groups.length >= capacity
      submit(endpoint, tasks)
    }
  }

  function submit (endpoint: Endpoint, tasks: Task[]): void {
    const kept = tasks.filter(task => task.body !== '')
    for (const task of tasks) if (task.body === '') outcomeWriter.update(task, PAYLOAD_GONE)
    if (kept.length === 0) return
    runs++
    let left = kept.length
    scheduler.submit(createOrderedRun(endpoint, kept, (task, result) => {
      if (--left === 0) runs--
      outcomeWriter.update(task, result)
    }))
  }

  /** An endpoint that had capacity and of which nothing was claimed has nothing due. */
  function clearBacklogs (capacities: Map<number, number>, claimed: Map<number, Task[][]>): void {
    for (const [id, capacity] of capacities) {
      const endpoint = endpoints.get(id)
      if (endpoint && capacity > 0 && after === 0 && !claimed.has(id)) endpoint.hasBacklog = false
    }
  }

  function failed (err: unknown): number {
    log.warn({ err }, 'delivery: due deliveries could not be claimed')
    // The answer may have been lost after the rows were claimed, or the claim may come late.
    if (isAway(err) || err instanceof StepTimeout) lease.abandon()
    return FAILED_MS
  }

  function wake (): void {
    isAwake = true
    resume?.()
  }

  /** A delivery becomes due at that time; deliveries due within a few milliseconds share a timer. */
  function wakeAt (at: number): void {
    const now = Date.now()
    const tick = Math.ceil(Math.max(now, at) / TICK_MS)
    if (at - now > TIMED_MS || timers.has(tick)) return
    timers.set(tick, setTimeout(() => {
      timers.delete(tick)
      wake()
    }, tick * TICK_MS - now))
  }

  /** Resolves after a time, or when the poller is woken. */
  async function waitForWake (ms: number): Promise<void> {
    let poll: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      resume = resolve
      poll = setTimeout(resolve, ms)
    })
    clearTimeout(poll)
  }

  return {
    wake,
    wakeAt,
    start (): void { finished = loop() },
    async stop (): Promise<void> {
      stopping.abort()
      for (const timer of timers.values()) clearTimeout(timer)
      resume?.()
      await finished
    }
  }
}

const PAYLOAD_GONE: Result = {
  decision: { state: 'failed', reason: 'The payload is no longer kept' }, keyState: 'clear'
}

/** Tasks of one ordering key together, in order; a task without a key is a group of its own. */
function groupByOrder (tasks: Task[]): Task[][] {
  const keyOf = (task: Task) => task.orderingKey === null ? String(task.id) : groupKeyOf(task)
  return [...Map.groupBy(tasks, keyOf).values()]
}

import type { EventId } from '@tidings/job-events'
import type { Endpoint } from '../delivery/scheduler/endpoint.ts'
import type { DeliveryScheduler } from '../delivery/scheduler/delivery-scheduler.ts'
import type { OrderedRun } from '../delivery/scheduler/ordered-run.ts'
import type { MatchedEvent } from '../delivery/outcomes/outcome-write.ts'
import { groupKeyOf, type KeyState, type Result, type Task } from '../delivery/attempt/task.ts'

/** How often the batch checks whether the responses are still worth waiting for. */
const CHECK_MS = 50
/** A batch is written after this time, whatever it waits for. */
const MAX_OPEN_MS = 2000

/**
 * The events of one read of the stream, from their first attempts to their
 * rows. A batch is filled, then closed (all is planned), then ready (no response
 * is worth waiting for any more), then written: tasks without an outcome are
 * inserted as claimed by this worker.
 */
export class Batch {
  readonly from: EventId
  readonly to: EventId
  readonly events: MatchedEvent[] = []
  readonly tasks: Task[] = []
  readonly results = new Map<Task, Result>()
  readonly runs: OrderedRun<Endpoint>[] = []
  /** Characters of the payloads. */
  size = 0
  /** Ordering groups of which a delivery waits or has failed: later events must wait behind it. */
  readonly blocked = new Map<string, KeyState>()
  readonly ready: Promise<void>
  isReady = false
  writtenAt = Infinity
  readonly #awaited = new Map<Task, Endpoint>()
  readonly #runCounts = new Map<Endpoint, number>()
  #setReady = () => {}

  constructor (from: EventId, to: EventId) {
    this.from = from
    this.to = to
    this.ready = new Promise<void>(resolve => { this.#setReady = resolve }).then(() => { this.isReady = true })
  }

  /** Where the endpoint is responsive, the batch waits for the outcome before it is written. */
  addTask (task: Task, endpoint: Endpoint): void {
    this.tasks.push(task)
    if (endpoint.isResponsive) this.#awaited.set(task, endpoint)
  }

  addEvent (event: MatchedEvent): void {
    this.events.push(event)
    this.size += event.body.length
  }

  /** Adds a run that starts as soon as all is planned. */
  addRun (run: OrderedRun<Endpoint>): void {
    this.runs.push(run)
    this.#runCounts.set(run.endpoint, this.runsAt(run.endpoint) + 1)
  }

  runsAt (endpoint: Endpoint): number {
    return this.#runCounts.get(endpoint) ?? 0
  }

  /** Tasks without an outcome. */
  get unfinished (): number {
    return this.tasks.length - this.results.size
  }

  setResult (task: Task, result: Result): void {
    this.results.set(task, result)
    this.markBlocked(task, result)
    if (this.#awaited.delete(task) && this.#awaited.size === 0) this.#setReady()
  }

  /** A delivery that was not made holds up the later ones of its group, in this batch and in the next. */
  markBlocked (task: Task, { decision, keyState }: Result): void {
    if (decision.state === 'pending' || decision.state === 'failed') this.blocked.set(groupKeyOf(task), keyState)
  }

  /**
   * All is planned: the batch is ready with the last outcome worth waiting for.
   * A task that waits for a slot of ours is worth it: written as due it would
   * come back through Postgres, at several times the cost, and add to our load.
   */
  close (): void {
    if (this.#awaited.size === 0) return this.#setReady()
    const closedAt = performance.now()
    const timer = setInterval(() => {
      if (performance.now() - closedAt > MAX_OPEN_MS) this.#awaited.clear()
      else this.#dropUnresponsive()
      if (this.#awaited.size > 0) return
      clearInterval(timer)
      this.#setReady()
    }, CHECK_MS)
  }

  /** Stops waiting for endpoints that are late, for the next batches too. */
  #dropUnresponsive (): void {
    for (const [task, endpoint] of this.#awaited) {
      if (endpoint.isLate) endpoint.isResponsive = false
      if (!endpoint.isResponsive) this.#awaited.delete(task)
    }
  }

  /** Takes back the runs that have not started: their rows are written now. */
  withdrawWaiting (scheduler: DeliveryScheduler): void {
    for (const run of this.runs) if (run.state === 'waiting') scheduler.withdraw(run)
  }
}

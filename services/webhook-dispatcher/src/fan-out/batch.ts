import type { EventId } from '@tidings/job-events'
import type { Endpoint } from '../delivery/scheduler/endpoint.ts'
import type { DeliveryScheduler } from '../delivery/scheduler/delivery-scheduler.ts'
import type { OrderedRun } from '../delivery/scheduler/ordered-run.ts'
import { groupKeyOf, type KeyState, type Result, type Task } from '../delivery/attempt/task.ts'
import type { InsertedTask, MatchedEvent, TaskOutcome } from '../delivery/outcomes/outcome-write.ts'

/** How often the batch checks whether the responses are still worth waiting for. */
const CHECK_MS = 50
/** A batch is written after this time, whatever it waits for. */
const MAX_OPEN_MS = 2000

/** Tasks whose responses are worth waiting for, and their endpoints. */
type Awaited = Map<Task, Endpoint>

type BatchState =
  /** Events and tasks are added. */
  | { is: 'filling', awaited: Awaited }
  /** All is planned; the attempts are made. */
  | { is: 'waiting', awaited: Awaited, timer: NodeJS.Timeout }
  /** No response is worth waiting for any more. */
  | { is: 'ready' }
  /** The rows are being inserted, tasks without an outcome as claimed by this worker. */
  | { is: 'writing', late: TaskOutcome[] }
  | { is: 'written', at: number }

/** The events of one read of the stream, from their first attempts to their rows: a batch passes all of its states. */
export class Batch {
  readonly from: EventId
  readonly to: EventId
  readonly events: MatchedEvent[] = []
  readonly tasks: Task[] = []
  readonly runs: OrderedRun<Endpoint>[] = []
  /** Characters of the payloads. */
  size = 0
  /** Ordering groups of which a delivery waits or has failed: later events must wait behind it. */
  readonly blocked = new Map<string, KeyState>()
  readonly ready: Promise<void>
  #state: BatchState = { is: 'filling', awaited: new Map() }
  readonly #results = new Map<Task, Result>()
  readonly #runCounts = new Map<Endpoint, number>()
  #resolveReady = () => {}

  constructor (from: EventId, to: EventId) {
    this.from = from
    this.to = to
    this.ready = new Promise<void>(resolve => { this.#resolveReady = resolve })
  }

  /** Adds a task. Where the endpoint is responsive, the batch waits for the outcome before it is written. */
  addTask (task: Task, endpoint: Endpoint): void {
    const { awaited } = this.#expect('filling')
    this.tasks.push(task)
    if (endpoint.isResponsive) awaited.set(task, endpoint)
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
    return this.tasks.length - this.#results.size
  }

  get isReady (): boolean {
    return this.#state.is === 'ready'
  }

  /** Whether a statement that was sent at this time, by the monotonic clock, saw the batch's rows for certain. */
  isVisibleAt (time: number): boolean {
    return this.#state.is === 'written' && this.#state.at <= time
  }

  /**
   * Takes the result of one of its tasks, which is inserted with the row. False where the row is written already: the
   * result is to update it.
   */
  setResult (task: Task, result: Result): boolean {
    this.#markBlocked(task, result)
    const state = this.#state
    switch (state.is) {
      case 'filling':
        state.awaited.delete(task)
        break
      case 'waiting':
        if (state.awaited.delete(task) && state.awaited.size === 0) this.#becomeReady()
        break
      case 'ready':
        break
      case 'writing':
        state.late.push({ task, result })
        break
      case 'written':
        return false
      default: return state satisfies never
    }
    this.#results.set(task, result)
    return true
  }

  /**
   * A delivery that was not made holds up the later ones of its group: in this batch, and in later ones that read
   * Postgres before this one was written.
   */
  #markBlocked (task: Task, { decision, keyState }: Result): void {
    if (decision.state === 'pending' || decision.state === 'failed') this.blocked.set(groupKeyOf(task), keyState)
  }

  /**
   * All is planned: the batch is ready with the last outcome worth waiting for.
   * A task that waits for a slot of ours is worth it: written as due it would
   * come back through Postgres, at several times the cost, and add to our load.
   */
  close (): void {
    const { awaited } = this.#expect('filling')
    if (awaited.size === 0) return this.#becomeReady()
    const closedAt = performance.now()
    const timer = setInterval(() => this.#review(awaited, closedAt), CHECK_MS)
    this.#state = { is: 'waiting', awaited, timer }
  }

  #review (awaited: Awaited, closedAt: number): void {
    if (performance.now() - closedAt > MAX_OPEN_MS) awaited.clear()
    else dropUnresponsive(awaited)
    if (awaited.size === 0) this.#becomeReady()
  }

  #becomeReady (): void {
    if (this.#state.is === 'waiting') clearInterval(this.#state.timer)
    this.#state = { is: 'ready' }
    this.#resolveReady()
  }

  /** Starts the write: takes back the runs that have not started, and returns the tasks as they are inserted. */
  seal (scheduler: DeliveryScheduler): InsertedTask[] {
    this.#expect('ready')
    for (const run of this.runs) if (run.state === 'waiting') scheduler.withdraw(run)
    this.#state = { is: 'writing', late: [] }
    return this.tasks.map(task => ({ task, result: this.#results.get(task) }))
  }

  /** The rows are written. Returns the outcomes that arrived meanwhile, which are to update them. */
  settle (): TaskOutcome[] {
    const { late } = this.#expect('writing')
    this.#state = { is: 'written', at: performance.now() }
    return late
  }

  #expect<Is extends BatchState['is']> (is: Is): Extract<BatchState, { is: Is }> {
    if (this.#state.is !== is) throw new Error(`The batch is ${this.#state.is}, not ${is}`)
    return this.#state as Extract<BatchState, { is: Is }>
  }
}

/** Stops waiting for endpoints that are late, for the next batches too. */
function dropUnresponsive (awaited: Awaited): void {
  for (const [task, endpoint] of awaited) {
    endpoint.noteLateness()
    if (!endpoint.isResponsive) awaited.delete(task)
  }
}

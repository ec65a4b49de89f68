import type { EventId } from '@tidings/job-events'
import type { Endpoint } from '../delivery/scheduler/endpoint.ts'
import type { Lanes } from '../delivery/scheduler/delivery-scheduler.ts'
import type { Run } from '../delivery/scheduler/ordered-run.ts'
import type { ChainState, Result, Task } from '../delivery/attempt/task.ts'

/** How often it is looked whether an answer is still worth waiting for. */
const LOOK_MS = 50
/** A batch is written by then, whatever it waits for. */
const MAX_OPEN_MS = 2000

/** An event that is told to at least one webhook. */
export type ToldEvent = { id: EventId, userId: string, type: string, chain: string, body: string }

/**
 * Events of one read of the stream, from the first posts to the row: open
 * while posts run, sealed when what has no outcome yet is written as held.
 */
export class Batch {
  readonly from: EventId
  readonly to: EventId
  readonly events: ToldEvent[] = []
  readonly tasks: Task[] = []
  readonly results = new Map<Task, Result>()
  readonly runs: Run<Endpoint>[] = []
  /** Of the payloads, in characters. */
  size = 0
  /** Chains of which something waits: what follows must wait behind it. */
  readonly blocked = new Map<string, ChainState>()
  readonly ready: Promise<void>
  isReady = false
  writtenAt = Infinity
  readonly #awaited = new Map<Task, Endpoint>()
  readonly #begun = new Map<Endpoint, number>()
  #settled = () => {}

  constructor (from: EventId, to: EventId) {
    this.from = from
    this.to = to
    this.ready = new Promise<void>(resolve => { this.#settled = resolve }).then(() => { this.isReady = true })
  }

  /** Where the endpoint usually answers promptly, the outcome is waited for before the row is written. */
  add (task: Task, endpoint: Endpoint): void {
    this.tasks.push(task)
    if (endpoint.prompt) this.#awaited.set(task, endpoint)
  }

  tell (event: ToldEvent): void {
    this.events.push(event)
    this.size += event.body.length
  }

  /** Takes a run that is posted as soon as all is planned. */
  begin (run: Run<Endpoint>): void {
    this.runs.push(run)
    this.#begun.set(run.endpoint, this.begunAt(run.endpoint) + 1)
  }

  begunAt (endpoint: Endpoint): number {
    return this.#begun.get(endpoint) ?? 0
  }

  /** Tasks without an outcome. */
  get unfinished (): number {
    return this.tasks.length - this.results.size
  }

  note (task: Task, result: Result): void {
    this.results.set(task, result)
    if (result.verdict.state === 'pending' || result.verdict.state === 'failed') this.blocked.set(chainKey(task), result.chain)
    if (this.#awaited.delete(task) && this.#awaited.size === 0) this.#settled()
  }

  /**
   * All is planned: it is ready with the last outcome that is worth waiting
   * for. What waits for a slot of ours is: written as due it would come back
   * through Postgres, at several times the cost, and we'd be busier still.
   */
  close (): void {
    if (this.#awaited.size === 0) return this.#settled()
    const closedAt = performance.now()
    const timer = setInterval(() => {
      if (performance.now() - closedAt > MAX_OPEN_MS) this.#awaited.clear()
      else this.#waitForPrompt()
      if (this.#awaited.size > 0) return
      clearInterval(timer)
      this.#settled()
    }, LOOK_MS)
  }

  /** An endpoint that lets us wait is waited for no more, nor the next time. */
  #waitForPrompt (): void {
    for (const [task, endpoint] of this.#awaited) {
      if (endpoint.isLate) endpoint.prompt = false
      if (!endpoint.prompt) this.#awaited.delete(task)
    }
  }

  /** What has not begun goes to its row unposted, now that the row is written. */
  seal (lanes: Lanes): void {
    for (const run of this.runs) if (run.state === 'waiting') lanes.withdraw(run)
  }
}

export function chainKey ({ target, chain }: Pick<Task, 'target' | 'chain'>): string {
  return `${target.id} ${chain}`
}

import type { EventId } from '@tidings/job-events'
import { PROMPT_MS } from '../delivery/endpoint.ts'
import type { Lanes } from '../delivery/lanes.ts'
import type { Run } from '../delivery/run.ts'
import type { ChainState, Result, Task } from '../delivery/task.ts'

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
  readonly runs: Run[] = []
  /** Chains of which something waits: what follows must wait behind it. */
  readonly blocked = new Map<string, ChainState>()
  readonly ready: Promise<void>
  isReady = false
  writtenAt = Infinity
  readonly #awaited = new Set<Task>()
  #settled = () => {}

  constructor (from: EventId, to: EventId) {
    this.from = from
    this.to = to
    this.ready = new Promise<void>(resolve => { this.#settled = resolve }).then(() => { this.isReady = true })
  }

  /** `promptly`: an outcome can be expected before the row is written. */
  add (task: Task, { promptly }: { promptly: boolean }): void {
    this.tasks.push(task)
    if (promptly) this.#awaited.add(task)
  }

  note (task: Task, result: Result): void {
    this.results.set(task, result)
    if (result.verdict.state === 'pending' || result.verdict.state === 'failed') this.blocked.set(chainKey(task), result.chain)
    if (this.#awaited.delete(task) && this.#awaited.size === 0) this.#settled()
  }

  /** All is planned: it is ready with the last outcome that is worth waiting for. */
  close (): void {
    if (this.#awaited.size === 0) return this.#settled()
    setTimeout(this.#settled, PROMPT_MS)
  }

  /** What has not begun goes to its row unposted, now that the row is written. */
  seal (lanes: Lanes): void {
    for (const run of this.runs) if (run.state === 'waiting') lanes.withdraw(run)
  }
}

export function chainKey ({ target, chain }: Pick<Task, 'target' | 'chain'>): string {
  return `${target.id} ${chain}`
}

import { isBusy } from './event-loop-load.ts'
import { OVERTAKEN } from '../outcomes/supersede-progress.ts'
import { handedBack, type Result, type Task } from '../attempt/task.ts'
import type { Endpoint } from './endpoint.ts'
import type { Run } from './ordered-run.ts'
import { Slots, type SlotLimits } from './concurrency-limits.ts'

/** What was claimed for an endpoint that is paused here still, by a clock that is behind that of Postgres, is claimed again after so long. */
const PAUSED_MS = 500

type LanesOptions = {
  limits: SlotLimits
  /** Progress that has waited for longer at a slow endpoint gives way to newer progress. */
  progressLagMs: number
  post: (task: Task) => Promise<Result>
  /** Whether this process may still post what it once claimed. */
  isHeld: (task: Task) => boolean
  /** A slot of this endpoint is free. */
  onFree: (endpoint: Endpoint) => void
  onError: (err: unknown) => void
}

export type Lanes = ReturnType<typeof createLanes>

/**
 * Decides who is posted to next. Each endpoint has a lane as wide as its
 * window; only a run whose lane has room takes one of the slots of all.
 */
export function createLanes ({ limits, progressLagMs, post, isHeld, onFree, onError }: LanesOptions) {
  const ready = new Set<Endpoint>() // in the order of their turns
  const slots = new Slots(limits)
  let isClosed = false
  let idle: (() => void) | undefined

  /** Queues a run behind those of its endpoint, and starts what can be started. */
  function submit (run: Run<Endpoint>): void {
    if (isClosed || run.endpoint.isStopped) return end(run)
    if (run.endpoint.isPaused) return end(run, Date.now() + PAUSED_MS)
    run.endpoint.waiting.push(run)
    ready.add(run.endpoint)
    pump()
  }

  /** Takes a run back that has not begun; its tasks are handed back. */
  function withdraw (run: Run<Endpoint>): void {
    const at = run.endpoint.waiting.indexOf(run)
    if (at === -1) return
    run.endpoint.waiting.splice(at, 1)
    end(run)
  }

  function pump (): void {
    for (const endpoint of ready) { // one that is added again is met again: turn by turn
      if (slots.areTaken) return
      if (endpoint.waiting.length === 0 || endpoint.inFlight >= endpoint.window) {
        ready.delete(endpoint) // until one of its own ends
        continue
      }
      if (!slots.mayTake(endpoint)) continue
      ready.delete(endpoint)
      const run = endpoint.waiting.shift() as Run<Endpoint>
      if (endpoint.waiting.length > 0) ready.add(endpoint)
      work(run).catch(onError)
    }
  }

  async function work (run: Run<Endpoint>): Promise<void> {
    const { endpoint } = run
    slots.take(endpoint)
    run.state = 'running'
    try {
      while (await step(run)) run.at++
    } finally {
      slots.free(endpoint)
      end(run)
      if (endpoint.waiting.length > 0) ready.add(endpoint)
      pump()
      onFree(endpoint)
      if (slots.inFlight === 0) idle?.()
    }
  }

  /** Posts the run's next task; false ends the run. */
  async function step (run: Run<Endpoint>): Promise<boolean> {
    const task = run.tasks[run.at]
    if (!task || isClosed || run.endpoint.isPaused || run.endpoint.isStopped || !isHeld(task)) return false
    // It may have waited here for long: a change of its url or secret applies from this attempt on.
    task.target = run.endpoint.target ?? task.target
    const isLate = lags(task, run.endpoint)
    if ((isLate || task.target.progress_mode === 'latest') && isOvertaken(run)) {
      run.onResult(task, { verdict: { state: 'superseded', reason: OVERTAKEN }, chain: isLate ? 'lags' : 'flows' })
      return true
    }
    const ended = run.endpoint.begin()
    const result = await post(task).finally(ended)
    if (result.attempt) run.endpoint.note(result.attempt)
    if (run.endpoint.isPaused) empty(run.endpoint)
    run.onResult(task, result)
    if (result.verdict.state === 'delivered') return true
    run.at++
    for (const left of run.tasks.slice(run.at)) run.onResult(left, handedBack({ chain: result.chain }))
    run.at = run.tasks.length
    return false
  }

  /** It has waited for long, and not for us: its endpoint takes long for each. A retry waits because the schedule has it so. */
  function lags ({ since, attempt }: Task, endpoint: Endpoint): boolean {
    return attempt === 1 && performance.now() - since > progressLagMs && endpoint.isSlow && !isBusy()
  }

  function end (run: Run<Endpoint>, dueAt = Date.now()): void {
    run.state = 'ended'
    for (const left of run.tasks.slice(run.at)) run.onResult(left, handedBack({ dueAt }))
    run.at = run.tasks.length
  }

  function empty (endpoint: Endpoint): void {
    for (const run of endpoint.waiting.splice(0)) end(run)
  }

  return {
    submit,
    withdraw,
    /** Begins nothing more, not even the next of a chain. */
    close (): void {
      isClosed = true
      ready.forEach(empty)
      ready.clear()
    },
    /** Resolves when nothing is in flight. */
    async idle (): Promise<void> {
      if (slots.inFlight > 0) await new Promise<void>(resolve => { idle = resolve })
    }
  }
}

/** It is progress, and newer progress of the job waits behind it. */
function isOvertaken ({ tasks, at }: Run<Endpoint>): boolean {
  return tasks[at]?.type === 'progress' && tasks.slice(at + 1).some(({ type }) => type === 'progress')
}

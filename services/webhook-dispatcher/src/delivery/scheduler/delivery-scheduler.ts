import { isEventLoopBusy } from './event-loop-load.ts'
import { released, SUPERSEDED, type Result, type Task } from '../attempt/task.ts'
import type { Endpoint } from './endpoint.ts'
import type { OrderedRun } from './ordered-run.ts'
import { ConcurrencyLimits, type ConcurrencyCaps } from './concurrency-limits.ts'

/** What was claimed for an endpoint that is paused here still, by a clock that is behind that of Postgres, is claimed again after so long. */
const PAUSED_MS = 500

type DeliverySchedulerOptions = {
  limits: ConcurrencyCaps
  /** Progress that has waited for longer at a slow endpoint gives way to newer progress. */
  progressLagMs: number
  send: (task: Task) => Promise<Result>
  /** Whether this process may still post what it once claimed. */
  isStillOurs: (task: Task) => boolean
  /** A slot of this endpoint is free. */
  onSlotFree: (endpoint: Endpoint) => void
  onError: (err: unknown) => void
}

export type DeliveryScheduler = ReturnType<typeof createDeliveryScheduler>

/**
 * Decides who is posted to next. Each endpoint has a lane as wide as its
 * window; only a run whose lane has room takes one of the slots of all.
 */
export function createDeliveryScheduler ({ limits, progressLagMs, send, isStillOurs, onSlotFree, onError }: DeliverySchedulerOptions) {
  const ready = new Set<Endpoint>() // in the order of their turns
  const concurrency = new ConcurrencyLimits(limits)
  let isClosed = false
  let idle: (() => void) | undefined

  /** Queues a run behind those of its endpoint, and starts what can be started. */
  function submit (run: OrderedRun<Endpoint>): void {
    if (isClosed || run.endpoint.isStopped) return end(run)
    if (run.endpoint.isPaused) return end(run, Date.now() + PAUSED_MS)
    run.endpoint.waiting.push(run)
    ready.add(run.endpoint)
    startRuns()
  }

  /** Takes a run back that has not begun; its tasks are handed back. */
  function withdraw (run: OrderedRun<Endpoint>): void {
    const at = run.endpoint.waiting.indexOf(run)
    if (at === -1) return
    run.endpoint.waiting.splice(at, 1)
    end(run)
  }

  function startRuns (): void {
    for (const endpoint of ready) { // one that is added again is met again: turn by turn
      if (concurrency.isExhausted) return
      if (endpoint.waiting.length === 0 || endpoint.inFlight >= endpoint.concurrency) {
        ready.delete(endpoint) // until one of its own ends
        continue
      }
      if (!concurrency.canAcquire(endpoint)) continue
      ready.delete(endpoint)
      const run = endpoint.waiting.shift() as OrderedRun<Endpoint>
      if (endpoint.waiting.length > 0) ready.add(endpoint)
      execute(run).catch(onError)
    }
  }

  async function execute (run: OrderedRun<Endpoint>): Promise<void> {
    const { endpoint } = run
    concurrency.acquire(endpoint)
    run.state = 'running'
    try {
      while (await step(run)) run.index++
    } finally {
      concurrency.release(endpoint)
      end(run)
      if (endpoint.waiting.length > 0) ready.add(endpoint)
      startRuns()
      onSlotFree(endpoint)
      if (concurrency.inFlight === 0) idle?.()
    }
  }

  /** Posts the run's next task; false ends the run. */
  async function step (run: OrderedRun<Endpoint>): Promise<boolean> {
    const task = run.tasks[run.index]
    if (!task || isClosed || run.endpoint.isPaused || run.endpoint.isStopped || !isStillOurs(task)) return false
    // It may have waited here for long: a change of its url or secret applies from this attempt on.
    task.target = run.endpoint.target ?? task.target
    const isLate = isLagging(task, run.endpoint)
    if ((isLate || task.target.progress_mode === 'latest') && hasNewerProgress(run)) {
      run.onResult(task, { decision: { state: 'superseded', reason: SUPERSEDED }, keyState: isLate ? 'lagging' : 'clear' })
      return true
    }
    const ended = run.endpoint.beginAttempt()
    const result = await send(task).finally(ended)
    if (result.attempt) run.endpoint.record(result.attempt)
    if (run.endpoint.isPaused) endWaiting(run.endpoint)
    run.onResult(task, result)
    if (result.decision.state === 'delivered') return true
    run.index++
    for (const left of run.tasks.slice(run.index)) run.onResult(left, released({ keyState: result.keyState }))
    run.index = run.tasks.length
    return false
  }

  /** It has waited for long, and not for us: its endpoint takes long for each. A retry waits because the schedule has it so. */
  function isLagging ({ waitingSince, attempt }: Task, endpoint: Endpoint): boolean {
    return attempt === 1 && performance.now() - waitingSince > progressLagMs && endpoint.isSlow && !isEventLoopBusy()
  }

  function end (run: OrderedRun<Endpoint>, dueAt = Date.now()): void {
    run.state = 'ended'
    for (const left of run.tasks.slice(run.index)) run.onResult(left, released({ dueAt }))
    run.index = run.tasks.length
  }

  function endWaiting (endpoint: Endpoint): void {
    for (const run of endpoint.waiting.splice(0)) end(run)
  }

  return {
    submit,
    withdraw,
    /** Begins nothing more, not even the next of a chain. */
    close (): void {
      isClosed = true
      ready.forEach(endWaiting)
      ready.clear()
    },
    /** Resolves when nothing is in flight. */
    async idle (): Promise<void> {
      if (concurrency.inFlight > 0) await new Promise<void>(resolve => { idle = resolve })
    }
  }
}

/** It is progress, and newer progress of the job waits behind it. */
function hasNewerProgress ({ tasks, index }: OrderedRun<Endpoint>): boolean {
  return tasks[index]?.type === 'progress' && tasks.slice(index + 1).some(({ type }) => type === 'progress')
}

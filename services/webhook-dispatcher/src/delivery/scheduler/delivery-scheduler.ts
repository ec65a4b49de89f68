import { isEventLoopBusy } from './event-loop-load.ts'
import { released, SUPERSEDED, type Result, type Task } from '../attempt/task.ts'
import type { Endpoint } from './endpoint.ts'
import type { OrderedRun } from './ordered-run.ts'
import { ConcurrencyLimits, type ConcurrencyCaps } from './concurrency-limits.ts'

/** When a run is claimed again whose endpoint is still paused here, by a clock that is behind that of Postgres. */
const PAUSED_MS = 500

type DeliverySchedulerOptions = {
  limits: ConcurrencyCaps
  /** Progress that has waited longer at a slow endpoint is superseded by newer progress. */
  progressLagMs: number
  send: (task: Task) => Promise<Result>
  /** Whether this process still holds the task's claim. */
  isStillOurs: (task: Task) => boolean
  /** A slot of this endpoint has become free. */
  onSlotFree: (endpoint: Endpoint) => void
  onError: (err: unknown) => void
}

export type DeliveryScheduler = ReturnType<typeof createDeliveryScheduler>

/**
 * Decides which delivery is sent next. Each endpoint has a queue and its own
 * concurrency; only a run within that takes one of the slots shared by all.
 */
export function createDeliveryScheduler (options: DeliverySchedulerOptions) {
  const { limits, progressLagMs, send, isStillOurs, onSlotFree, onError } = options
  const ready = new Set<Endpoint>() // in the order in which they are served
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

  /** Takes back a run that has not started; its tasks are released. */
  function withdraw (run: OrderedRun<Endpoint>): void {
    const at = run.endpoint.waiting.indexOf(run)
    if (at === -1) return
    run.endpoint.waiting.splice(at, 1)
    end(run)
  }

  function startRuns (): void {
    for (const endpoint of ready) { // an endpoint that is added again comes again at the end: round robin
      if (concurrency.isExhausted) return
      if (endpoint.waiting.length === 0 || endpoint.inFlight >= endpoint.concurrency) {
        ready.delete(endpoint) // until one of its runs ends
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

  /** Sends the run's current task; false ends the run. */
  async function step (run: OrderedRun<Endpoint>): Promise<boolean> {
    const task = run.tasks[run.index]
    if (!task || isClosed || run.endpoint.isPaused || run.endpoint.isStopped || !isStillOurs(task)) return false
    // It may have waited here for long: a change of its URL or secret applies from this attempt on.
    task.target = run.endpoint.target ?? task.target
    const lags = isLagging(task, run.endpoint)
    if ((lags || task.target.progress_mode === 'latest') && hasNewerProgress(run)) {
      run.onResult(
        task, { decision: { state: 'superseded', reason: SUPERSEDED }, keyState: lags ? 'lagging' : 'clear' }
      )
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

  /** It has waited long because its endpoint is slow, not because this process is. A retry waits as scheduled. */
  function isLagging ({ waitingSince, attempt }: Task, endpoint: Endpoint): boolean {
    if (attempt > 1 || performance.now() - waitingSince <= progressLagMs) return false
    return endpoint.isSlow && !isEventLoopBusy()
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
    /** Starts nothing more, not even the next task of a run. */
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

/** Whether the current task is progress, and newer progress of the job waits behind it. */
function hasNewerProgress ({ tasks, index }: OrderedRun<Endpoint>): boolean {
  return tasks[index]?.type === 'progress' && tasks.slice(index + 1).some(({ type }) => type === 'progress')
}

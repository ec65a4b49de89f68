import type { FastifyBaseLogger } from 'fastify'
import { isAway, type RawSql } from '@tidings/service-kit'
import { claim } from './claim-due.ts'
import type { Claimant } from './worker-lease.ts'
import { FIRST_WINDOW, type Endpoint } from '../scheduler/endpoint.ts'
import type { Endpoints } from '../scheduler/endpoint-registry.ts'
import type { Lanes } from '../scheduler/delivery-scheduler.ts'
import type { Recorder } from '../outcomes/outcome-writer.ts'
import { createRun } from '../scheduler/ordered-run.ts'
import type { Result, Task } from '../attempt/task.ts'

/** For what other replicas made due; what this one made due wakes it. */
const POLL_MS = 500
const FAILED_MS = 1000
/** What is due sooner is claimed when it is due; what is due later may wait for a poll. */
const TIMED_MS = 10_000
const TICK_MS = 10

type ClaimerOptions = {
  sql: RawSql
  claimant: Claimant
  endpoints: Endpoints
  lanes: Lanes
  recorder: Recorder
  /** Chains that may be held at once. */
  maxHeld: number
  probeMs: number
  log: FastifyBaseLogger
}

export type Claimer = ReturnType<typeof createClaimer>

/** Takes due deliveries from Postgres into the lanes, for ever. */
export function createClaimer ({ sql, claimant, endpoints, lanes, recorder, maxHeld, probeMs, log }: ClaimerOptions) {
  let held = 0
  let after = 0
  const stopping = new AbortController()
  let isAwake = false
  const timers = new Map<number, NodeJS.Timeout>()
  let resume: (() => void) | undefined
  let finished: Promise<void> | undefined

  async function loop (): Promise<void> {
    while (!stopping.signal.aborted) {
      isAwake = false
      const pause = await pass().catch(failed)
      if (!isAwake && !stopping.signal.aborted) await rest(pause)
    }
  }

  /** Claims once; returns how long nothing new is to be expected. */
  async function pass (): Promise<number> {
    const id = claimant.id
    const slots = maxHeld - held
    if (id === undefined || slots <= 0) return POLL_MS
    const rooms = new Map([...endpoints.all()].map(endpoint => [endpoint.id, endpoint.room]))
    const claimed = await claim(sql, { claim: id, slots, rooms, after, probeMs })
    after = claimed.after
    endpoints.clock.note(claimed.now)
    const chains = chainsOf(claimed.tasks)
    const perEndpoint = Map.groupBy(chains, ([task]) => task?.target.id ?? 0)
    for (const [webhookId, own] of perEndpoint) take(webhookId, own, rooms.get(webhookId) ?? FIRST_WINDOW)
    forgetBacklogs(rooms, perEndpoint)
    return chains.length >= slots || after > 0 ? 0 : POLL_MS
  }

  function take (webhookId: number, chains: Task[][], room: number): void {
    for (const tasks of chains) {
      const target = tasks[0]?.target
      if (!target) continue
      const endpoint = endpoints.of(target)
      endpoint.backlog = chains.length >= room
      submit(endpoint, tasks)
    }
  }

  function submit (endpoint: Endpoint, tasks: Task[]): void {
    const kept = tasks.filter(task => task.body !== '')
    for (const task of tasks) if (task.body === '') recorder.add(task, PAYLOAD_GONE)
    if (kept.length === 0) return
    held++
    let left = kept.length
    lanes.submit(createRun(endpoint, kept, (task, result) => {
      if (--left === 0) held--
      recorder.add(task, result)
    }))
  }

  /** Endpoints that had room and gave nothing have nothing due. */
  function forgetBacklogs (rooms: Map<number, number>, claimed: Map<number, Task[][]>): void {
    for (const [id, room] of rooms) {
      const endpoint = endpoints.get(id)
      if (endpoint && room > 0 && after === 0 && !claimed.has(id)) endpoint.backlog = false
    }
  }

  function failed (err: unknown): number {
    log.warn({ err }, 'delivery: claiming failed')
    // The answer may have been lost after the rows were claimed.
    if (isAway(err)) claimant.forsake()
    return FAILED_MS
  }

  function wake (): void {
    isAwake = true
    resume?.()
  }

  /** Something becomes due then; one timer for all that do within a few milliseconds. */
  function wakeAt (at: number): void {
    const now = Date.now()
    const tick = Math.ceil(Math.max(now, at) / TICK_MS)
    if (at - now > TIMED_MS || timers.has(tick)) return
    timers.set(tick, setTimeout(() => {
      timers.delete(tick)
      wake()
    }, tick * TICK_MS - now))
  }

  async function rest (ms: number): Promise<void> {
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

const PAYLOAD_GONE: Result = { verdict: { state: 'failed', reason: 'The payload is no longer kept' }, chain: 'flows' }

/** Tasks of one chain together, in order; those outside the order alone. */
function chainsOf (tasks: Task[]): Task[][] {
  return [...Map.groupBy(tasks, ({ id, target, chain }) => chain === null ? String(id) : `${target.id} ${chain}`).values()]
}

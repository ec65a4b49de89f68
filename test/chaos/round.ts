import { setTimeout as sleep } from 'node:timers/promises'
import { addFindings, noFindings, type Findings } from './check/findings.ts'
import type { createChecker, Observer } from './check/checker.ts'
import { TAKEN_AWAY, type Fault, type FaultContext, type Heal } from './faults/fault.ts'
import type { Load, SentJob } from './load/load.ts'
import { probe, probeAgain, type Recovery } from './probe.ts'
import { random as randomOf } from './random.ts'
import type { ChaosSystem } from './system/chaos-system.ts'

/** How long after a loss of data in Redis a request from before may still be accepted. */
const LOSS_MARGIN_MS = 5000
/** The load goes on for so long after a loss of data: for jobs of this time the comparison is exact again. */
const AFTER_LOSS_MS = 8000
/** For everything to arrive once the fault is over; far more than a busy machine needs. */
const SETTLE_MS = 240_000

export interface RoundContext {
  system: ChaosSystem
  observers: Observer[]
  load: Load
  checker: ReturnType<typeof createChecker>
  /** All jobs of the run so far. */
  jobs: SentJob[]
  /** The pause between two actions of a user, in milliseconds. */
  pauseMs: [number, number]
  /** Called while the faults last, towards their end. */
  duringFault?: () => Promise<void>
}

export interface RoundResult extends Findings {
  faults: Fault[]
  jobs: number
  events: number
  /** Webhook requests that were sent again under the same id, which receivers drop. */
  repeated: number
  /** Until a new job was reported on every channel; undefined where it was not. */
  recovery: Recovery | undefined
}

interface FaultToHeal { fault: Fault, end: Heal }

/** Load, one fault or several at a time, the end of the faults, the end of the load, and the comparison. */
export async function runRound (
  { system, observers, load, checker, jobs, pauseMs, duringFault }: RoundContext, faults: Fault[], seed: number
): Promise<RoundResult> {
  const random = randomOf(seed)
  const result: RoundResult = { ...noFindings(), faults, jobs: 0, events: 0, repeated: 0, recovery: undefined }
  const repeatedBefore = repeats(observers)
  const [prober, ...others] = observers as [Observer, ...Observer[]]
  const losesData = faults.some(fault => fault.losesRedisData)
  let isOver = false
  let lostUntil: number | undefined
  const probes: SentJob[] = []
  const startProbe = async () =>
    await (losesData ? probeAgain : probe)(prober, { key: `probe-${seed}`, jobs: probes })

  const loading = load({ users: others.map(({ user }) => user), seed, pauseMs, isOver: () => isOver })
  const failing = trouble().finally(() => { isOver = true })
  const [sent, probed] = await Promise.allSettled([loading, failing])
  const ofRound = [...sent.status === 'fulfilled' ? sent.value : [], ...probes]
  for (const outcome of [sent, probed]) {
    if (outcome.status === 'rejected') result.lost.push(messageOf(outcome.reason))
  }
  if (probed.status === 'fulfilled') result.recovery = probed.value

  jobs.push(...ofRound)
  const check = {
    jobs: ofRound,
    isProgressSuperseded: faults.some(fault => fault.supersedesProgress),
    lostUntil,
    mayHaveTwice: faults.some(fault => fault.losesPostgresData),
    timeoutMs: SETTLE_MS
  }
  await checker.settle(check, jobs)
  const { events, ...found } = await checker.check(check, jobs)
  addFindings(result, found)
  return { ...result, events, jobs: ofRound.length, repeated: repeats(observers) - repeatedBefore }

  /** Causes the faults, ends them, and measures how soon a new job is reported. */
  async function trouble (): Promise<Recovery> {
    await sleep(random.between(300, 1000))
    const heals: FaultToHeal[] = []
    const healAll = async () => await heal(heals.splice(0))
    const isSinceStart = faults.every(({ recovery }) => recovery.since === 'start')
    try {
      const [relay, reader] = await Promise.all([system.relayLeader(), system.shardReader()])
      for (const fault of faults.toSorted((a, b) => stageOf(a) - stageOf(b))) {
        heals.push({ fault, end: await begin(fault, { system, relay, reader, observers, random }) })
      }
      const early = isSinceStart ? startProbe() : undefined
      early?.catch(() => {}) // awaited below, once the fault is over
      await sleep(Math.max(...faults.map(({ holdMs: [from, to] }) => random.between(from, to + 1))))
      await duringFault?.()
      await healAll()
      if (losesData) lostUntil = performance.now() + LOSS_MARGIN_MS
      const probed = await (early ?? startProbe())
      await sleep(losesData ? AFTER_LOSS_MS : random.between(100, 500))
      return probed
    } finally {
      await healAll()
      if (losesData) lostUntil ??= Infinity
    }
  }
}

async function begin (fault: Fault, context: FaultContext): Promise<Heal> {
  try {
    return await fault.inject(context)
  } catch (cause) {
    throw new Error(`${fault.name} has no beginning: ${messageOf(cause)}`, { cause })
  }
}

/** Those of a higher stage begin later. */
function stageOf ({ takesAway }: Fault): number {
  return takesAway === undefined ? 0 : TAKEN_AWAY.indexOf(takesAway) + 1
}

/**
 * Ends faults, the last one first, and those last whose end starts processes. One that cannot be ended leaves no other.
 */
async function heal (heals: FaultToHeal[]): Promise<void> {
  const isLast = ({ fault }: FaultToHeal) => fault.startsProcesses === true
  const ordered = heals.toReversed()
  const errors: unknown[] = []
  for (const { fault, end } of [...ordered.filter(one => !isLast(one)), ...ordered.filter(isLast)]) {
    try {
      await end()
    } catch (cause) {
      errors.push(new Error(`${fault.name} has no end: ${messageOf(cause)}`, { cause }))
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, errors.map(messageOf).join('; '))
}

function repeats (observers: Observer[]): number {
  return observers.reduce((sum, { webhook }) => sum + webhook.repeated, 0)
}

function messageOf (err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@tidings/testing'
import type { Observer } from './check/checker.ts'
import type { SentJob } from './load/load.ts'

/** Nothing takes as long; only a system that never recovers fails a round by it. */
const PATIENCE_MS = 300_000
/** Far more than an event takes. */
const AGAIN_MS = 10_000
const MOST_PROBES = 10

/** How long a new job took, and each of its steps since it was sent, in milliseconds. */
export interface Recovery { ms: number, steps: Map<string, number> }

export interface ProbeOptions {
  key: string
  /** The jobs that were submitted are added here, also where a probe fails. */
  jobs: SentJob[]
}

/** As `probe`, with one job after the other: a session that is not recovered may miss the end of one. */
export async function probeAgain (observer: Observer, { key, jobs }: ProbeOptions): Promise<Recovery> {
  const begin = performance.now()
  const probes: Promise<Recovery>[] = []
  for (let n = 0; n < MOST_PROBES; n++) {
    const next = probe(observer, { key: `${key}-${n}`, jobs })
    next.catch(() => {}) // awaited below
    probes.push(next)
    if (await Promise.race([Promise.any(probes), sleep(AGAIN_MS)])) break
  }
  const { steps } = await Promise.any(probes)
  return { ms: performance.now() - begin, steps }
}

/** Submits a job; resolves when its end has arrived on all channels. */
export async function probe (
  { user, rest, sessions, webhook }: Observer, { key, jobs }: ProbeOptions
): Promise<Recovery> {
  const begin = performance.now()
  const steps = new Map<string, number>()
  const note = (step: string) => { if (!steps.has(step)) steps.set(step, performance.now() - begin) }
  const { body: { jobId: id } } = await rest<{ jobId: string }>('/submit-job', {
    key, body: { name: 'probe', data: { kind: 'succeeds', pauseMs: 0, obeys: false } }, expected: [202]
  })
  note('accepted')
  jobs.push({ id, queue: 'default', user, sentAt: performance.now() })
  const channels = [...sessions, webhook]
  const late = () => channels.filter(({ channel, received }) => {
    const hasEnded = received.get(id)?.some(({ type }) => type === 'completed' || type === 'failed')
    if (hasEnded) note(channel)
    return !hasEnded
  })
  await until(() => late().length === 0, { timeoutMs: PATIENCE_MS }).catch(cause => {
    const without = late().map(({ channel }) => channel).join(', ')
    throw new Error(`no end of job ${id} of ${user} on ${without} after ${PATIENCE_MS} ms`, { cause })
  })
  await until(async () => (await rest<{ state: string }>(`/jobs/${id}`)).body.state === 'completed', {
    timeoutMs: PATIENCE_MS, what: `job ${id} to be completed in REST`
  })
  note('REST')
  return { ms: performance.now() - begin, steps }
}

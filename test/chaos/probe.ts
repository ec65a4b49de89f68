import { until } from '@tidings/testing'
import type { Observer } from './check/checker.ts'
import type { SentJob } from './load/load.ts'

/** Nothing takes as long; only a system that never recovers fails a round by it. */
const PATIENCE_MS = 300_000

export interface Probe {
  job: SentJob
  /** From the request until the end of the job had arrived on every channel, in milliseconds. */
  ms: number
}

/** Submits a job, and waits until its end has arrived on all channels. */
export async function probe ({ user, rest, sessions, webhook }: Observer, key: string): Promise<Probe> {
  const begin = performance.now()
  const { body: { jobId: id } } = await rest<{ jobId: string }>('/submit-job', {
    key, body: { name: 'probe', data: { kind: 'succeeds', pauseMs: 0, obeys: false } }, expected: [202]
  })
  const channels = [...sessions, webhook]
  const hasEnded = ({ received }: Pick<Observer['webhook'], 'received'>) =>
    received.get(id)?.some(({ type }) => type === 'completed' || type === 'failed') ?? false
  await until(() => channels.every(hasEnded), { timeoutMs: PATIENCE_MS }).catch(cause => {
    const without = channels.filter(channel => !hasEnded(channel)).map(({ channel }) => channel).join(', ')
    throw new Error(`no end of job ${id} of ${user} on ${without} after ${PATIENCE_MS} ms`, { cause })
  })
  await until(async () => (await rest<{ state: string }>(`/jobs/${id}`)).body.state === 'completed', {
    timeoutMs: PATIENCE_MS, what: `job ${id} to be completed in REST`
  })
  return { job: { id, queue: 'default', user, sentAt: performance.now() }, ms: performance.now() - begin }
}

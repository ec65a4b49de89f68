import { setTimeout as sleep } from 'node:timers/promises'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { Redis } from 'ioredis'
import { now } from '../../clock.ts'
import { interleave } from '../../workload/interleave.ts'
import { middleRate } from '../../figures/rates.ts'
import { submitJobs } from '../../workload/submit.ts'
import { startStandalone } from '../../fixture/standalone.ts'
import type { StandaloneService } from '../../fixture/standalone.ts'
import type { Fixture } from '../../fixture/fixture.ts'
import type { Result } from '../scenario.ts'

const QUEUES = Array.from({ length: 16 }, (_, index) => `bench-${index + 1}`)
const REDIS_DATABASE = 8
const JOBS = 200
const EVENTS = 6_000
const CHECK_MS = 5
const QUIET_MS = 500

/** The same jobs in one queue, and spread over sixteen queues, each of which has a relay of its own. */
export async function manyQueues (fixture: Fixture): Promise<Result> {
  fixture.progress.status(`growth: ${QUEUES.length} queues`)
  const env = { JOB_QUEUES: QUEUES.join(',') }
  const service = await startStandalone(fixture, { name: 'jobs-api', redisDatabase: REDIS_DATABASE, env })
  const redis = new Redis(service.redisUrl)
  await fixture.loads.worker.ask('work', { redisUrl: service.redisUrl, queues: QUEUES })
  const cells = {
    one: () => relayedPerSecond(fixture, { service, redis, queues: QUEUES.slice(0, 1) }),
    sixteen: () => relayedPerSecond(fixture, { service, redis, queues: QUEUES })
  }
  await cells.one()
  const { one, sixteen } = await interleave(fixture, { title: `growth to ${QUEUES.length} queues`, cells })
  redis.disconnect()
  await fixture.loads.worker.ask('leave', QUEUES)
  await service.stop()
  return {
    rows: [{
      scenario: '7',
      what: `relay of ${QUEUES.length} queues beside their workers`,
      unit: 'events/s',
      ours: sixteen,
      peer: { name: 'our own, 1 queue', values: one }
    }],
    broken: []
  }
}

interface Relayed { service: StandaloneService, redis: Redis, queues: string[] }

/** Runs jobs at full speed and measures how fast the stream grows. */
async function relayedPerSecond (fixture: Fixture, { service, redis, queues }: Relayed): Promise<number> {
  const { worker } = fixture.loads
  const run = fixture.nextRun()
  await worker.ask('prepare', { run, eventsPerJob: EVENTS / JOBS, events: EVENTS })
  await submitJobs({ jobs: service.origin, token: service.token }, { run, jobs: JOBS, queues })
  const before = await added(redis)
  await worker.ask('start', { window: Infinity })
  const samples = await untilQuiet(redis, before + EVENTS)
  await worker.ask('finish')
  const total = (samples.at(-1)?.count ?? before) - before
  const reached = (share: number) => samples.find(({ count }) => count - before >= total * share)?.at ?? 0
  return middleRate(total, { tenth: reached(0.1), ninetieth: reached(0.9) })
}

interface Sample { at: number, count: number }

/** Samples the length of the stream until it has reached `least` and has stopped growing. */
async function untilQuiet (redis: Redis, least: number): Promise<Sample[]> {
  const samples: Sample[] = []
  let last = { at: now(), count: 0 }
  for (; last.count < least || now() - last.at < QUIET_MS * 1000; await sleep(CHECK_MS)) {
    const count = await added(redis)
    if (count !== last.count) samples.push(last = { at: now(), count })
  }
  return samples
}

/** The number of entries ever added to the stream. */
async function added (redis: Redis): Promise<number> {
  const info = await redis.xinfo('STREAM', JOB_EVENTS_KEY) as unknown[]
  return Number(info[info.indexOf('entries-added') + 1])
}

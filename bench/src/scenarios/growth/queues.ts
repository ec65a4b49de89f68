import { setTimeout as sleep } from 'node:timers/promises'
import { JOB_EVENTS_KEY } from '@tidings/contracts'
import { Redis } from 'ioredis'
import { now } from '../../clock.ts'
import { interleave } from '../../drive/interleave.ts'
import { middleRate } from '../../drive/middle-rate.ts'
import { submitJobs } from '../../drive/submit.ts'
import { startAlone } from '../../stage/alone.ts'
import type { AloneService } from '../../stage/alone.ts'
import type { Stage } from '../../stage/stage.ts'
import type { Result } from '../scenario.ts'

const QUEUES = Array.from({ length: 16 }, (_, index) => `bench-${index + 1}`)
const REDIS_DATABASE = 8
const JOBS = 200
const EVENTS = 6_000
const LOOK_MS = 5
const QUIET_MS = 500

/** The same jobs in one queue and spread over sixteen, each of which has a relay of its own. */
export async function manyQueues (stage: Stage): Promise<Result> {
  stage.progress.say(`growth: ${QUEUES.length} queues`)
  const service = await startAlone(stage, { name: 'jobs-api', redisDatabase: REDIS_DATABASE, env: { JOB_QUEUES: QUEUES.join(',') } })
  const redis = new Redis(service.redisUrl)
  await stage.loads.worker.ask('work', { redisUrl: service.redisUrl, queues: QUEUES })
  const cells = {
    one: () => relayedPerSecond(stage, { service, redis, queues: QUEUES.slice(0, 1) }),
    sixteen: () => relayedPerSecond(stage, { service, redis, queues: QUEUES })
  }
  await cells.one()
  const { one, sixteen } = await interleave(stage, { title: `growth to ${QUEUES.length} queues`, cells })
  redis.disconnect()
  await stage.loads.worker.ask('leave', QUEUES)
  await service.stop()
  return {
    rows: [{ scenario: '7', what: `relay of ${QUEUES.length} queues beside their workers`, unit: 'events/s', ours: sixteen, peer: { name: 'our own, 1 queue', values: one } }],
    broken: []
  }
}

interface Relayed { service: AloneService, redis: Redis, queues: string[] }

/** Runs jobs flat out and watches the stream grow. */
async function relayedPerSecond (stage: Stage, { service, redis, queues }: Relayed): Promise<number> {
  const { worker } = stage.loads
  const run = stage.nextRun()
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

/** What the stream had grown to, until it has the least that is due and grows no more. */
async function untilQuiet (redis: Redis, least: number): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let last = { at: now(), count: 0 }; last.count < least || now() - last.at < QUIET_MS * 1000; await sleep(LOOK_MS)) {
    const count = await added(redis)
    if (count !== last.count) samples.push(last = { at: now(), count })
  }
  return samples
}

/** How many entries the stream has ever had. */
async function added (redis: Redis): Promise<number> {
  const info = await redis.xinfo('STREAM', JOB_EVENTS_KEY) as unknown[]
  return Number(info[info.indexOf('entries-added') + 1])
}

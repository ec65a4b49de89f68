import type { TestContext } from '@tidings/testing'
import { openEventStream } from './channels/event-stream.ts'
import { openSocketIo } from './channels/socket-io.ts'
import { openWebhook } from './channels/webhook.ts'
import { openWebSocket } from './channels/websocket.ts'
import { createChecker, type Observer } from './check/checker.ts'
import { createTruth } from './check/truth.ts'
import { createLoad, type SentJob } from './load/load.ts'
import { restOf } from './load/rest.ts'
import { longToken } from './load/token.ts'
import { probe } from './probe.ts'
import type { RoundContext } from './round.ts'
import { QUEUES, startChaosSystem, type ChaosSystemOptions } from './system/chaos-system.ts'

export interface ChaosOptions extends ChaosSystemOptions {
  /** Users who load the system; one more measures recoveries. */
  users: number
  pauseMs: [number, number]
}

/** Starts the system and its users, each with a session of every transport and a webhook. */
export async function startChaos (t: TestContext, { users, pauseMs, ...options }: ChaosOptions): Promise<RoundContext> {
  const system = await startChaosSystem(t, options)
  const names = ['probe', ...Array.from({ length: users }, (_, n) => `user-${n + 1}`)]
  const observers = await Promise.all(names.map(async user => await observe(t, system.url, user)))
  // A session that begins before the first event of all is never recovered: everyone has one before any fault.
  const jobs: SentJob[] = []
  await Promise.all(observers.map(async observer => await probe(observer, { key: `start-${observer.user}`, jobs })))
  const keys = QUEUES.map(queue => `${system.redis.prefix}:${queue}:events`)
  const truth = createTruth(system.admin.redis, keys)
  await truth.read() // before a fault may take BullMQ's record of these jobs
  return {
    system,
    observers,
    load: createLoad(t, system),
    checker: createChecker({ truth, observers }),
    jobs,
    pauseMs
  }
}

async function observe (t: TestContext, url: string, user: string): Promise<Observer> {
  const rest = restOf(url, user)
  const options = { url, user, token: longToken(user) }
  const [webhook, ...sessions] = await Promise.all([
    openWebhook(t, { user, rest }), openSocketIo(t, options), openWebSocket(t, options), openEventStream(t, options)
  ])
  return { user, rest, sessions, webhook }
}

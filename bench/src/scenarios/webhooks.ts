import { createWebhook, USERS } from '../drive/audience.ts'
import { receive } from '../drive/arrivals.ts'
import type { Received } from '../drive/arrivals.ts'
import { eachOf } from '../drive/call.ts'
import { drive } from '../drive/drive.ts'
import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { rates } from '../figures/rates.ts'
import type { BarePostsCommands } from '../limits/bare-posts.ts'
import { startLoad } from '../load/start-load.ts'
import type { Load } from '../load/start-load.ts'
import { startAlone } from '../stage/alone.ts'
import type { AloneService } from '../stage/alone.ts'
import type { Stage } from '../stage/stage.ts'
import type { Scenario } from './scenario.ts'

const REDIS_DATABASE = 1
const EVENTS = 30_000
const BARE_EVENTS = 25_000
const NAIVE_EVENTS = 5_000
const WINDOW = 4_000

/** A backlog of one dispatcher, drained to a fast endpoint, every delivery written down; beside a loop that only posts. */
export const webhooks: Scenario = {
  name: 'webhooks',
  title: '5 webhook deliveries',
  run: async stage => {
    const { side: naive } = await stage.monolith('naive')
    const dispatcher = await startAlone(stage, { name: 'webhook-dispatcher', redisDatabase: REDIS_DATABASE })
    await stage.loads.relay.ask('connect', dispatcher.redisUrl)
    await eachOf(USERS, index => createWebhook({ webhooks: dispatcher.origin, token: dispatcher.token }, { user: index + 1, url: `${stage.loads.sinkOrigin}/alone/${index + 1}` }))
    const bare = await startLoad<BarePostsCommands>('bare-posts', new URL('../limits/bare-posts.ts', import.meta.url))
    const cells = {
      limit: () => postBare(stage, bare),
      Tidings: () => drain(stage, dispatcher),
      naive: () => drive(stage, naive, { events: NAIVE_EVENTS, pace: { window: WINDOW }, channels: ['webhooks'] })
    }
    stage.progress.say('webhooks: warming up')
    for (const cell of Object.values(cells)) await cell()
    const { limit, Tidings, naive: byNaive } = await interleave<Received | Driven, keyof typeof cells>(stage, { title: 'webhooks', cells })
    await Promise.all([dispatcher.stop(), bare.stop()])

    const row = { scenario: '5', what: 'webhook deliveries', unit: '/s', ours: rates(Tidings), ...loadOf(Tidings) }
    const lost = (Tidings as Received[]).filter(run => run.lost > 0)
    return {
      rows: [
        { ...row, limit: { name: 'bare signing undici loop', values: rates(limit) }, goal: { of: 'limit', atLeast: 0.5 } },
        { ...row, peer: { name: 'naive', values: rates(byNaive) }, goal: { of: 'peer', atLeast: 3 } }
      ],
      broken: lost.map(run => `webhooks: ${run.lost} of ${EVENTS} deliveries never came`)
    }
  }
}

async function drain (stage: Stage, dispatcher: AloneService): Promise<Received> {
  const { relay, sink } = stage.loads
  const run = stage.nextRun()
  dispatcher.pause()
  await relay.ask('append', { run, events: EVENTS, users: USERS })
  return await receive(stage, {
    at: sink,
    expected: { run, events: EVENTS, jobs: USERS },
    send: () => dispatcher.resume(),
    watched: [{ name: 'webhook-dispatcher', pid: dispatcher.pid, isLoad: false }]
  })
}

async function postBare (stage: Stage, bare: Load<BarePostsCommands>): Promise<Received> {
  const run = stage.nextRun()
  return await receive(stage, {
    at: stage.loads.sink,
    expected: { run, events: BARE_EVENTS, jobs: USERS },
    send: () => bare.ask('post', { origin: stage.loads.sinkOrigin, run, events: BARE_EVENTS, users: USERS }),
    watched: [{ name: 'bare-posts', pid: bare.pid, isLoad: false }]
  })
}

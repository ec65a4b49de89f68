import { createWebhook, USERS } from '../workload/receivers.ts'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import { receive } from '../workload/receive.ts'
import type { Received } from '../workload/receive.ts'
import { eachOf } from '../workload/call.ts'
import { runWorkload } from '../workload/run-workload.ts'
import type { WorkloadResult } from '../workload/run-workload.ts'
import { interleave } from '../workload/interleave.ts'
import { rates } from '../figures/rates.ts'
import type { BarePostsCommands } from '../limits/bare-posts.ts'
import { startLoad } from '../load/start-load.ts'
import type { Load } from '../load/start-load.ts'
import { startStandalone } from '../fixture/standalone.ts'
import type { StandaloneService } from '../fixture/standalone.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Scenario } from './scenario.ts'

const REDIS_DATABASE = 1
const EVENTS = 30_000
const BARE_EVENTS = 25_000
const NAIVE_EVENTS = 5_000
const WINDOW = 4_000

/**
 * Drains the backlog of one dispatcher to a fast endpoint, with every delivery stored; compares it with a loop that
 * only posts.
 */
export const webhooks: Scenario = {
  name: 'webhooks',
  title: '5 webhook deliveries',
  run: async fixture => {
    const { subject: naive } = await fixture.monolith('naive')
    const dispatcher = await startStandalone(fixture, { name: 'webhook-dispatcher', redisDatabase: REDIS_DATABASE })
    await fixture.loads.relay.ask('connect', dispatcher.redisUrl)
    const api = { webhooks: dispatcher.origin, token: dispatcher.token }
    const url = `${fixture.loads.sinkOrigin}/standalone`
    await eachOf(USERS, index => createWebhook(api, { user: index + 1, url: `${url}/${index + 1}` }))
    const bare = await startLoad<BarePostsCommands>('bare-posts', new URL('../limits/bare-posts.ts', import.meta.url))
    const cells = {
      limit: () => postBare(fixture, bare),
      Tidings: () => drain(fixture, dispatcher),
      naive: () => runWorkload(fixture, naive, {
        events: NAIVE_EVENTS,
        pace: { window: WINDOW },
        channels: ['webhooks']
      })
    }
    fixture.progress.status('webhooks: warming up')
    for (const cell of Object.values(cells)) await cell()
    const measured = await interleave<Received | WorkloadResult, keyof typeof cells>(fixture, {
      title: 'webhooks',
      cells
    })
    const { limit, Tidings, naive: byNaive } = measured
    await Promise.all([dispatcher.stop(), bare.stop()])

    const row = { scenario: '5', what: 'webhook deliveries', unit: '/s', ours: rates(Tidings), ...busiestLoad(Tidings) }
    const lost = (Tidings as Received[]).filter(run => run.lost > 0)
    return {
      rows: [
        {
          ...row,
          limit: { name: 'bare signing undici loop', values: rates(limit) },
          goal: { of: 'limit', atLeast: 0.5 }
        },
        { ...row, peer: { name: 'naive', values: rates(byNaive) }, goal: { of: 'peer', atLeast: 3 } }
      ],
      broken: lost.map(run => `webhooks: ${run.lost} of ${EVENTS} deliveries never arrived`)
    }
  }
}

async function drain (fixture: Fixture, dispatcher: StandaloneService): Promise<Received> {
  const { relay, sink } = fixture.loads
  const run = fixture.nextRun()
  dispatcher.pause()
  await relay.ask('append', { run, events: EVENTS, users: USERS })
  return await receive(fixture, {
    at: sink,
    expected: { run, events: EVENTS, jobs: USERS },
    send: () => dispatcher.resume(),
    watched: [{ name: 'webhook-dispatcher', pid: dispatcher.pid, isLoad: false }]
  })
}

async function postBare (fixture: Fixture, bare: Load<BarePostsCommands>): Promise<Received> {
  const run = fixture.nextRun()
  return await receive(fixture, {
    at: fixture.loads.sink,
    expected: { run, events: BARE_EVENTS, jobs: USERS },
    send: () => bare.ask('post', { origin: fixture.loads.sinkOrigin, run, events: BARE_EVENTS, users: USERS }),
    watched: [{ name: 'bare-posts', pid: bare.pid, isLoad: false }]
  })
}

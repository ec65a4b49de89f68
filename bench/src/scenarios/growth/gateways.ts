import { receive } from '../../workload/receive.ts'
import { busiestLoad } from '../../fixture/cpu-shares.ts'
import type { Received } from '../../workload/receive.ts'
import { interleave } from '../../workload/interleave.ts'
import { rates } from '../../figures/rates.ts'
import { startStandalone } from '../../fixture/standalone.ts'
import type { StandaloneService } from '../../fixture/standalone.ts'
import type { Fixture } from '../../fixture/fixture.ts'
import type { Result } from '../scenario.ts'

const GATEWAYS = 4
const USERS = 200
const EVENTS = 20_000

/** The same users on one gateway, and spread over four gateways, each of which reads the whole stream. */
export async function manyGateways (fixture: Fixture): Promise<Result> {
  fixture.progress.status(`growth: starting ${GATEWAYS + 1} gateways`)
  const single = await startGateways(fixture, { count: 1, redisDatabase: 6 })
  const together = await startGateways(fixture, { count: GATEWAYS, redisDatabase: 7 })
  const cells = { one: () => drain(fixture, single), four: () => drain(fixture, together) }
  for (const warmUp of Object.values(cells)) await warmUp()
  const { one, four } = await interleave(fixture, { title: `growth to ${GATEWAYS} gateways`, cells })
  await Promise.all([...single, ...together].map(gateway => gateway.stop()))
  return {
    rows: [{
      scenario: '7',
      what: `fan-out over ${GATEWAYS} gateways on one machine`,
      unit: 'frames/s',
      ours: rates(four),
      peer: { name: 'our own, 1 gateway', values: rates(one) },
      ...busiestLoad(four)
    }],
    broken: [...one, ...four]
      .filter(({ lost, doubled }) => lost + doubled > 0)
      .map(({ lost, doubled }) => `growth to ${GATEWAYS} gateways: ${lost} frames lost, ${doubled} doubled`)
  }
}

type Gateways = { count: number, redisDatabase: number }

/** Starts gateways with a stream of their own; each has its share of the users for as long as it runs. */
async function startGateways (fixture: Fixture, { count, redisDatabase }: Gateways): Promise<StandaloneService[]> {
  const start = () => startStandalone(fixture, { name: 'realtime-gateway', redisDatabase })
  const gateways = await Promise.all(Array.from({ length: count }, start))
  for (const [index, { origin, token }] of gateways.entries()) {
    const users = Array.from({ length: USERS / count }, (_, user) => index * USERS / count + user + 1)
    await fixture.loads.sockets.ask('open', {
      name: origin,
      url: origin,
      protocol: 'tidings',
      tokens: users.map(token)
    })
  }
  return gateways
}

async function drain (fixture: Fixture, gateways: StandaloneService[]): Promise<Received> {
  const { relay, sockets } = fixture.loads
  const run = fixture.nextRun()
  for (const gateway of gateways) gateway.pause()
  await relay.ask('connect', (gateways[0] as StandaloneService).redisUrl)
  await relay.ask('append', { run, events: EVENTS, users: USERS })
  return await receive(fixture, {
    at: sockets,
    expected: { run, events: EVENTS, jobs: USERS },
    send: () => { for (const gateway of gateways) gateway.resume() },
    watched: []
  })
}

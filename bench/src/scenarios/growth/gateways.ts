import { receive } from '../../drive/arrivals.ts'
import type { Received } from '../../drive/arrivals.ts'
import { interleave } from '../../drive/interleave.ts'
import { loadOf } from '../../drive/load-column.ts'
import { rates } from '../../figures/rates.ts'
import { startAlone } from '../../stage/alone.ts'
import type { AloneService } from '../../stage/alone.ts'
import type { Stage } from '../../stage/stage.ts'
import type { Result } from '../scenario.ts'

const GATEWAYS = 4
const USERS = 200
const EVENTS = 20_000

/** The same users on one gateway and spread over four, each of which reads the whole stream. */
export async function manyGateways (stage: Stage): Promise<Result> {
  stage.progress.say(`growth: starting ${GATEWAYS + 1} gateways`)
  const alone = await startGateways(stage, { count: 1, redisDatabase: 6 })
  const together = await startGateways(stage, { count: GATEWAYS, redisDatabase: 7 })
  const cells = { one: () => drain(stage, alone), four: () => drain(stage, together) }
  for (const warmUp of Object.values(cells)) await warmUp()
  const { one, four } = await interleave(stage, { title: `growth to ${GATEWAYS} gateways`, cells })
  await Promise.all([...alone, ...together].map(gateway => gateway.stop()))
  return {
    rows: [{
      scenario: '7', what: `fan-out over ${GATEWAYS} gateways on one machine`, unit: 'frames/s', ours: rates(four), peer: { name: 'our own, 1 gateway', values: rates(one) }, ...loadOf(four)
    }],
    broken: [...one, ...four].filter(({ lost, doubled }) => lost + doubled > 0).map(({ lost, doubled }) => `growth to ${GATEWAYS} gateways: ${lost} frames lost, ${doubled} doubled`)
  }
}

/** Gateways with a stream of their own; each has its share of the users for as long as it runs. */
async function startGateways (stage: Stage, { count, redisDatabase }: { count: number, redisDatabase: number }): Promise<AloneService[]> {
  const gateways = await Promise.all(Array.from({ length: count }, () => startAlone(stage, { name: 'realtime-gateway', redisDatabase })))
  for (const [index, { origin, token }] of gateways.entries()) {
    const users = Array.from({ length: USERS / count }, (_, user) => index * USERS / count + user + 1)
    await stage.loads.sockets.ask('open', { name: origin, url: origin, protocol: 'tidings', tokens: users.map(token) })
  }
  return gateways
}

async function drain (stage: Stage, gateways: AloneService[]): Promise<Received> {
  const { relay, sockets } = stage.loads
  const run = stage.nextRun()
  for (const gateway of gateways) gateway.pause()
  await relay.ask('connect', (gateways[0] as AloneService).redisUrl)
  await relay.ask('append', { run, events: EVENTS, users: USERS })
  return await receive(stage, {
    at: sockets,
    expected: { run, events: EVENTS, jobs: USERS },
    send: () => { for (const gateway of gateways) gateway.resume() },
    watched: []
  })
}

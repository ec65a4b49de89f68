import { until, type TestContext } from '@tidings/testing'
import type { Recorder } from './channels/recorder.ts'
import { openWebSocket } from './channels/websocket.ts'
import { addFindings } from './check/findings.ts'
import type { Fault } from './faults/fault.ts'
import { faultNamed } from './faults/index.ts'
import { longToken } from './load/token.ts'
import { runRound, type RoundResult } from './round.ts'
import { startChaos } from './start.ts'
import type { Replica } from './system/chaos-system.ts'

const USERS = 39 // and the one who measures
const PAUSE_MS: [number, number] = [5000, 10_000]
/** So many connect at a time. */
const OPENERS = 50
const AGAIN_MAX_MS = 3000
const PATIENCE_MS = 300_000
/** Sessions of a killed gateway count for five more seconds. */
const env = { REALTIME_MAX_SESSIONS: '200' }

interface HerdOptions {
  sockets: number
  seed: number
  log: (line: string) => void
}

/**
 * A thundering herd: so many sockets are all on one gateway, which is killed; all must resume on the other one, and
 * receive each event once and in order.
 */
export async function runHerd (t: TestContext, { sockets, seed, log }: HerdOptions): Promise<RoundResult> {
  const context = await startChaos(t, { users: USERS, workers: 2, pauseMs: PAUSE_MS, env })
  const { system, observers } = context
  const quiet = await runRound(context, [faultNamed('none')], seed)
  const [first, second] = system.of('realtime-gateway') as [Replica, Replica]
  await second.kill('SIGTERM')

  const begin = performance.now()
  const users = Array.from({ length: sockets }, (_, n) => observers[n % observers.length] as typeof observers[number])
  const herd: Recorder[] = []
  await Promise.all(Array.from({ length: OPENERS }, async () => {
    for (let observer = users.pop(); observer !== undefined; observer = users.pop()) {
      const { user } = observer
      const socket = await openWebSocket(t, {
        url: system.url, user, token: longToken(user), againMaxMs: AGAIN_MAX_MS
      })
      observer.sessions.push(socket)
      herd.push(socket)
    }
  }))
  log(`${sockets} sockets are open on ${first.name}, after ${seconds(performance.now() - begin)}; ${first.name} is killed`)
  await second.start()
  const result = await runRound(context, [killed(first, herd, log)], seed + 1)
  addFindings(result, quiet)
  return result
}

/** It lasts until all have resumed. */
function killed (gateway: Replica, herd: Recorder[], log: HerdOptions['log']): Fault {
  return {
    name: 'herd',
    what: 'SIGKILL of the gateway that has all sockets',
    holdMs: [0, 0],
    recovery: { since: 'start', withinMs: 30_000 },
    inject: async () => {
      const before = herd.map(({ sessions }) => sessions)
      const begin = performance.now()
      await gateway.kill('SIGKILL')
      return async () => {
        const waiting = () => herd.filter(({ sessions }, n) => sessions === before[n]).length
        await until(() => waiting() === 0, { timeoutMs: PATIENCE_MS, what: 'all sockets to resume' }).catch(cause => {
          throw new Error(`${waiting()} of ${herd.length} sockets did not resume`, { cause })
        })
        log(`${herd.length} sockets resumed after ${seconds(performance.now() - begin)}`)
        await gateway.start()
      }
    }
  }
}

function seconds (ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

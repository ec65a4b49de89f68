import { setTimeout as sleep } from 'node:timers/promises'
import { drive } from '../drive/drive.ts'
import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { faults, lostOf } from '../drive/losses.ts'
import type { Scenario } from './scenario.ts'

const PER_SECOND = 500
const SECONDS = 4
const EVENTS_PER_JOB = 10
const FIRST_KILL_MS = 700
const PAUSE_MS = 1_300

/** SIGKILL of each service in turn, and as often of the monolith; both are started again at once. */
export const kill: Scenario = {
  name: 'kill',
  title: '8 what SIGKILL loses',
  run: async stage => {
    const { side: ours, system } = await stage.tidings()
    const { side: naive, crash } = await stage.monolith('naive')
    const killService = (name: string) => () => system.process(name).kill()
    const load = { events: PER_SECOND * SECONDS, eventsPerJob: EVENTS_PER_JOB, pace: { perSecond: PER_SECOND } }
    const { Tidings, naive: byNaive } = await interleave(stage, {
      title: 'SIGKILL',
      cells: {
        Tidings: () => drive(stage, ours, { ...load, meanwhile: inTurn(['jobs-api', 'realtime-gateway-1', 'webhook-dispatcher'].map(killService)) }),
        naive: () => drive(stage, naive, { ...load, meanwhile: inTurn([crash, crash, crash]) })
      }
    })
    const row = { scenario: '8', peer: { name: 'naive', values: byNaive.map(lostOf) }, ...loadOf(Tidings) }
    const longest = (runs: Driven[], channel: 'sockets' | 'webhooks') => runs.map(run => run[channel].latencies.reduce((a, b) => Math.max(a, b), 0))
    const waits = (['sockets', 'webhooks'] as const).map(channel => ({
      ...row,
      what: `the longest that an event took to ${channel}`,
      unit: 'ms',
      ours: longest(Tidings, channel),
      peer: { name: 'naive, of those that came', values: longest(byNaive, channel) }
    }))
    return {
      rows: [
        { ...row, what: `deliveries lost at ${PER_SECOND}/s, three SIGKILLs`, unit: 'lost', ours: Tidings.map(lostOf), goal: { of: 'ours', atMost: 0 } },
        ...waits
      ],
      broken: Tidings.flatMap(run => faults('SIGKILL', run))
    }
  }
}

function inTurn (kills: (() => Promise<void>)[]): () => Promise<void> {
  return async () => {
    await sleep(FIRST_KILL_MS)
    for (const killNext of kills) {
      await killNext()
      await sleep(PAUSE_MS)
    }
  }
}

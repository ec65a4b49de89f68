import { setTimeout as sleep } from 'node:timers/promises'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import { runWorkload } from '../workload/run-workload.ts'
import type { WorkloadResult } from '../workload/run-workload.ts'
import { interleave } from '../workload/interleave.ts'
import { faults, lostOf } from '../workload/losses.ts'
import type { Scenario } from './scenario.ts'

const PER_SECOND = 500
const SECONDS = 4
const EVENTS_PER_JOB = 10
const FIRST_KILL_MS = 700
const PAUSE_MS = 1_300

/** Kills each service in turn, and the monolith as often, with SIGKILL; both are started again at once. */
export const kill: Scenario = {
  name: 'kill',
  title: '8 what SIGKILL loses',
  run: async fixture => {
    const { subject: ours, system } = await fixture.tidings()
    const { subject: naive, crash } = await fixture.monolith('naive')
    const killService = (name: string) => () => system.process(name).kill()
    const load = { events: PER_SECOND * SECONDS, eventsPerJob: EVENTS_PER_JOB, pace: { perSecond: PER_SECOND } }
    const { Tidings, naive: byNaive } = await interleave(fixture, {
      title: 'SIGKILL',
      cells: {
        Tidings: () => runWorkload(fixture, ours, {
          ...load,
          meanwhile: inTurn(['jobs-api', 'realtime-gateway-1', 'webhook-dispatcher'].map(killService))
        }),
        naive: () => runWorkload(fixture, naive, { ...load, meanwhile: inTurn([crash, crash, crash]) })
      }
    })
    const row = { scenario: '8', peer: { name: 'naive', values: byNaive.map(lostOf) }, ...busiestLoad(Tidings) }
    const longest = (runs: WorkloadResult[], channel: 'sockets' | 'webhooks') =>
      runs.map(run => run[channel].latencies.reduce((a, b) => Math.max(a, b), 0))
    const waits = (['sockets', 'webhooks'] as const).map(channel => ({
      ...row,
      what: `longest latency of an event to ${channel}`,
      unit: 'ms',
      ours: longest(Tidings, channel),
      peer: { name: 'naive, of those that arrived', values: longest(byNaive, channel) }
    }))
    return {
      rows: [
        {
          ...row,
          what: `deliveries lost at ${PER_SECOND}/s, three SIGKILLs`,
          unit: 'lost',
          ours: Tidings.map(lostOf),
          goal: { of: 'ours', atMost: 0 }
        },
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

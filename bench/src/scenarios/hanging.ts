import type { WorkloadResult } from '../workload/run-workload.ts'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import { interleave } from '../workload/interleave.ts'
import { faults } from '../workload/losses.ts'
import { runWithHanging } from '../workload/hanging-endpoints.ts'
import type { HangingWorkload } from '../workload/hanging-endpoints.ts'
import { percentile } from '../figures/percentile.ts'
import { rates } from '../figures/rates.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Scenario } from './scenario.ts'

/** One in ten of all webhooks. */
const HANGING = 22
const STEADY: HangingWorkload = { events: 2_000, eventsPerJob: 10, pace: { perSecond: 1_000 }, hanging: 0 }
/** As fast as the window allows. */
const FLAT_OUT: HangingWorkload = { ...STEADY, events: 12_000, eventsPerJob: 50, pace: { window: 4_000 } }

/** The effect of endpoints that never respond on the others. */
export const hanging: Scenario = {
  name: 'hanging',
  title: '6 hanging endpoints',
  run: async fixture => {
    const { subject: ours } = await fixture.tidings()
    const { subject: naive } = await fixture.monolith('naive')
    for (const subject of [ours, naive]) await runWithHanging(fixture, subject, STEADY)
    const cell = (subject: Subject, load: HangingWorkload, hanging: number) =>
      () => runWithHanging(fixture, subject, { ...load, hanging })
    const { healthy, tenthHangs, naiveHangs, healthyFlatOut, tenthHangsFlatOut } = await interleave(fixture, {
      title: 'hanging endpoints',
      cells: {
        healthy: cell(ours, STEADY, 0),
        tenthHangs: cell(ours, STEADY, HANGING),
        naiveHangs: cell(naive, STEADY, HANGING),
        healthyFlatOut: cell(ours, FLAT_OUT, 0),
        tenthHangsFlatOut: cell(ours, FLAT_OUT, HANGING)
      }
    })
    const p99 = (runs: WorkloadResult[]) => runs.map(({ webhooks }) => percentile(webhooks.latencies, 0.99))
    const row = {
      scenario: '6',
      what: 'p99 to healthy webhooks, 10 % hang, 1,000 events/s',
      unit: 'ms',
      ours: p99(tenthHangs),
      ...busiestLoad(tenthHangs)
    }
    const flatOut = {
      scenario: '6',
      what: 'events to healthy webhooks and sockets, 10 % hang',
      unit: 'events/s',
      ours: rates(tenthHangsFlatOut),
      ...busiestLoad(tenthHangsFlatOut)
    }
    return {
      rows: [
        { ...row, peer: { name: 'our own, none hangs', values: p99(healthy) }, goal: { of: 'peer', atMost: 1.3 } },
        { ...row, peer: { name: 'naive, 10 % hang', values: p99(naiveHangs) } },
        {
          ...flatOut,
          peer: { name: 'our own, none hangs', values: rates(healthyFlatOut) },
          goal: { of: 'peer', atLeast: 0.9 }
        }
      ],
      broken: [...healthy, ...tenthHangs, ...healthyFlatOut, ...tenthHangsFlatOut].flatMap(
        run => faults('hanging endpoints', run)
      )
    }
  }
}

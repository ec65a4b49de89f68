import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { faults } from '../drive/losses.ts'
import { under } from '../drive/under.ts'
import type { JobLoad } from '../drive/under.ts'
import { percentile } from '../figures/percentile.ts'
import { rates } from '../figures/rates.ts'
import type { Side } from '../stage/side.ts'
import type { Scenario } from './scenario.ts'

/** One in ten of all webhooks. */
const HANGING = 22
const STEADY: JobLoad = { events: 2_000, eventsPerJob: 10, pace: { perSecond: 1_000 }, hanging: 0 }
/** As many as there is room for. */
const FLAT_OUT: JobLoad = { ...STEADY, events: 12_000, eventsPerJob: 50, pace: { window: 4_000 } }

/** What endpoints that never answer do to the others. */
export const hanging: Scenario = {
  name: 'hanging',
  title: '6 hanging endpoints',
  run: async stage => {
    const { side: ours } = await stage.tidings()
    const { side: naive } = await stage.monolith('naive')
    for (const side of [ours, naive]) await under(stage, side, STEADY)
    const cell = (side: Side, load: JobLoad, hanging: number) => () => under(stage, side, { ...load, hanging })
    const { healthy, tenthHangs, naiveHangs, healthyFlatOut, tenthHangsFlatOut } = await interleave(stage, {
      title: 'hanging endpoints',
      cells: {
        healthy: cell(ours, STEADY, 0),
        tenthHangs: cell(ours, STEADY, HANGING),
        naiveHangs: cell(naive, STEADY, HANGING),
        healthyFlatOut: cell(ours, FLAT_OUT, 0),
        tenthHangsFlatOut: cell(ours, FLAT_OUT, HANGING)
      }
    })
    const p99 = (runs: Driven[]) => runs.map(({ webhooks }) => percentile(webhooks.latencies, 0.99))
    const row = { scenario: '6', what: 'p99 to healthy webhooks, 10 % hang, 1,000 events/s', unit: 'ms', ours: p99(tenthHangs), ...loadOf(tenthHangs) }
    const flatOut = { scenario: '6', what: 'events to healthy webhooks and sockets, 10 % hang', unit: 'events/s', ours: rates(tenthHangsFlatOut), ...loadOf(tenthHangsFlatOut) }
    return {
      rows: [
        { ...row, peer: { name: 'our own, none hangs', values: p99(healthy) }, goal: { of: 'peer', atMost: 1.3 } },
        { ...row, peer: { name: 'naive, 10 % hang', values: p99(naiveHangs) } },
        { ...flatOut, peer: { name: 'our own, none hangs', values: rates(healthyFlatOut) }, goal: { of: 'peer', atLeast: 0.9 } }
      ],
      broken: [...healthy, ...tenthHangs, ...healthyFlatOut, ...tenthHangsFlatOut].flatMap(run => faults('hanging endpoints', run))
    }
  }
}

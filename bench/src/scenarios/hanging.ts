import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { faults } from '../drive/losses.ts'
import { under } from '../drive/under.ts'
import { percentile } from '../figures/percentile.ts'
import type { Scenario } from './scenario.ts'

const HEALTHY = { name: 'all endpoints healthy', perSecond: 1_000, seconds: 2, eventsPerJob: 10, hanging: 0 }
/** One in ten of all webhooks. */
const TENTH_HANGS = { ...HEALTHY, name: '10 % of endpoints hang', hanging: 22 }

/** What endpoints that never answer do to the others. */
export const hanging: Scenario = {
  name: 'hanging',
  title: '6 hanging endpoints',
  run: async stage => {
    const { side: ours } = await stage.tidings()
    const { side: naive } = await stage.monolith('naive')
    for (const side of [ours, naive]) await under(stage, side, HEALTHY)
    const { healthy, tenthHangs, naiveHangs } = await interleave(stage, {
      title: 'hanging endpoints',
      cells: {
        healthy: () => under(stage, ours, HEALTHY),
        tenthHangs: () => under(stage, ours, TENTH_HANGS),
        naiveHangs: () => under(stage, naive, TENTH_HANGS)
      }
    })
    const p99 = (runs: Driven[]) => runs.map(({ webhooks }) => percentile(webhooks.latencies, 0.99))
    const row = { scenario: '6', what: 'p99 to healthy webhooks, 10 % hang, 1,000 events/s', unit: 'ms', ours: p99(tenthHangs), ...loadOf(tenthHangs) }
    return {
      rows: [
        { ...row, peer: { name: 'our own, none hangs', values: p99(healthy) }, goal: { of: 'peer', atMost: 1.3 } },
        { ...row, peer: { name: 'naive, 10 % hang', values: p99(naiveHangs) } }
      ],
      broken: [...healthy, ...tenthHangs].flatMap(run => faults('hanging endpoints', run))
    }
  }
}

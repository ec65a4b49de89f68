import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { faults } from '../drive/losses.ts'
import { under } from '../drive/under.ts'
import type { JobLoad } from '../drive/under.ts'
import { percentile } from '../figures/percentile.ts'
import type { Goal, Row } from '../figures/row.ts'
import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import type { Result, Scenario } from './scenario.ts'

interface NamedLoad extends JobLoad { name: string }

const QUIET: NamedLoad = { name: '100 events/s', events: 400, eventsPerJob: 2, pace: { perSecond: 100 }, hanging: 0 }
const BUSY: NamedLoad = { name: '2,000 events/s', events: 5_000, eventsPerJob: 20, pace: { perSecond: 2_000 }, hanging: 0 }
const ONE_HANGS: NamedLoad = { ...BUSY, name: '2,000 events/s, one endpoint hangs', hanging: 1 }
/** Of each run's events, the first: all jobs begin at once, which is a burst and no steady rate. */
const WARM_UP_SHARE = 0.2

/** From updateProgress() to the client. */
export const latency: Scenario = {
  name: 'latency',
  title: '2 latency to socket and webhook',
  run: async stage => {
    const { side: ours } = await stage.tidings()
    const { side: naive } = await stage.monolith('naive')
    for (const side of [ours, naive]) await under(stage, side, BUSY)
    const quiet = await compare(stage, { ours, naive, load: QUIET })
    const busy = await compare(stage, { ours, naive, load: BUSY })
    const hanging = await compare(stage, { ours, naive, load: ONE_HANGS })
    return {
      rows: [
        quiet.row('sockets', 0.5, { of: 'peer', atMost: 2 }),
        quiet.row('sockets', 0.99, { of: 'peer', atMost: 1.5 }),
        quiet.row('webhooks', 0.5),
        quiet.row('webhooks', 0.99),
        busy.row('sockets', 0.99, { of: 'peer', atMost: 0.5 }),
        busy.row('webhooks', 0.99),
        hanging.row('sockets', 0.99, { of: 'peer', atMost: 0.2 }),
        hanging.row('webhooks', 0.99)
      ],
      broken: [quiet, busy, hanging].flatMap(({ broken }) => broken)
    } satisfies Result
  }
}

async function compare (stage: Stage, { ours, naive, load }: { ours: Side, naive: Side, load: NamedLoad }) {
  const runs = await interleave(stage, {
    title: `latency at ${load.name}`,
    cells: { Tidings: () => under(stage, ours, load), naive: () => under(stage, naive, load) }
  })
  return {
    broken: runs.Tidings.flatMap(run => faults(`latency at ${load.name}`, run)),
    row: (channel: 'sockets' | 'webhooks', share: number, goal?: Goal): Row => {
      const values = (driven: Driven[]) => driven.map(run => percentile(steady(run[channel].latencies), share))
      return {
        scenario: '2',
        what: `p${share * 100} to ${channel} at ${load.name}`,
        unit: 'ms',
        ours: values(runs.Tidings),
        peer: { name: 'naive', values: values(runs.naive) },
        ...(goal === undefined ? {} : { goal }),
        ...loadOf(runs.Tidings)
      }
    }
  }
}

function steady (latencies: Float32Array): Float32Array {
  return latencies.subarray(Math.ceil(latencies.length * WARM_UP_SHARE))
}

import type { WorkloadResult } from '../workload/run-workload.ts'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import { interleave } from '../workload/interleave.ts'
import { faults } from '../workload/losses.ts'
import { runWithHanging } from '../workload/hanging-endpoints.ts'
import type { HangingWorkload } from '../workload/hanging-endpoints.ts'
import { percentile } from '../figures/percentile.ts'
import type { Goal, Row } from '../figures/row.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Result, Scenario } from './scenario.ts'

interface NamedLoad extends HangingWorkload { name: string }

const QUIET: NamedLoad = { name: '100 events/s', events: 400, eventsPerJob: 2, pace: { perSecond: 100 }, hanging: 0 }
const BUSY: NamedLoad = {
  name: '2,000 events/s',
  events: 5_000,
  eventsPerJob: 20,
  pace: { perSecond: 2_000 },
  hanging: 0
}
const ONE_HANGS: NamedLoad = { ...BUSY, name: '2,000 events/s, one endpoint hangs', hanging: 1 }
/** Left out at the start of each run: all jobs start at once, which is a burst, not a steady rate. */
const WARM_UP_SHARE = 0.2

/** Latency from updateProgress() to the client. */
export const latency: Scenario = {
  name: 'latency',
  title: '2 latency to socket and webhook',
  run: async fixture => {
    const { subject: ours } = await fixture.tidings()
    const { subject: naive } = await fixture.monolith('naive')
    for (const subject of [ours, naive]) await runWithHanging(fixture, subject, BUSY)
    const quiet = await compare(fixture, { ours, naive, load: QUIET })
    const busy = await compare(fixture, { ours, naive, load: BUSY })
    const hanging = await compare(fixture, { ours, naive, load: ONE_HANGS })
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

async function compare (fixture: Fixture, { ours, naive, load }: { ours: Subject, naive: Subject, load: NamedLoad }) {
  const runs = await interleave(fixture, {
    title: `latency at ${load.name}`,
    cells: { Tidings: () => runWithHanging(fixture, ours, load), naive: () => runWithHanging(fixture, naive, load) }
  })
  return {
    broken: runs.Tidings.flatMap(run => faults(`latency at ${load.name}`, run)),
    row: (channel: 'sockets' | 'webhooks', share: number, goal?: Goal): Row => {
      const values = (result: WorkloadResult[]) => result.map(run => percentile(steady(run[channel].latencies), share))
      return {
        scenario: '2',
        what: `p${share * 100} to ${channel} at ${load.name}`,
        unit: 'ms',
        ours: values(runs.Tidings),
        peer: { name: 'naive', values: values(runs.naive) },
        ...(goal === undefined ? {} : { goal }),
        ...busiestLoad(runs.Tidings)
      }
    }
  }
}

function steady (latencies: Float32Array): Float32Array {
  return latencies.subarray(Math.ceil(latencies.length * WARM_UP_SHARE))
}

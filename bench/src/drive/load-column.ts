import { busiestLoad } from '../stage/cpu-shares.ts'
import type { CpuShare } from '../stage/cpu-shares.ts'

/** The row's `load`: which load process worked hardest while ours was measured. */
export function loadOf (runs: { cpu: CpuShare[] }[]): { load?: { name: string, percent: number } } {
  const busiest = busiestLoad(runs.map(({ cpu }) => cpu))
  return busiest === undefined ? {} : { load: { name: busiest.name, percent: busiest.percent } }
}

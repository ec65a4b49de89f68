import { now } from '../clock.ts'
import { cpuTime } from './process-times.ts'

export interface Watched { name: string, pid: number | undefined, isLoad: boolean }
export interface CpuShare { name: string, percent: number, isLoad: boolean }

/** Starts to measure; the returned function gives what each process used since, in percent of a core. */
export function watchCpu (processes: Watched[]): () => CpuShare[] {
  const started = now()
  const before = processes.map(({ pid }) => pid === undefined ? 0 : cpuTime(pid))
  return () => {
    const elapsedMs = (now() - started) / 1000
    return processes.map(({ name, pid, isLoad }, index) => ({
      name,
      isLoad,
      percent: pid === undefined ? 0 : 100 * (cpuTime(pid) - (before[index] as number)) / elapsedMs
    }))
  }
}

/** The load process that came nearest to a whole core, over several measurements. */
export function busiestLoad (measurements: CpuShare[][]): CpuShare | undefined {
  return measurements.flat().filter(({ isLoad }) => isLoad).toSorted((a, b) => b.percent - a.percent)[0]
}

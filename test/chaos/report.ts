import { FINDING_KINDS } from './check/findings.ts'
import type { Recovery } from './probe.ts'
import type { RoundResult } from './round.ts'

const HEAD = ['fault', 'rounds', 'jobs', 'events', ...FINDING_KINDS, 'repeated', 'recovered in', 'within']
const SHOWN_LINES = 5

/** A line for a round, one for a recovery that was late, and its first findings. */
export function roundLines (result: RoundResult): string[] {
  const counts = FINDING_KINDS.map(kind => `${result[kind].length} ${kind}`).join(', ')
  const { jobs, events, repeated, recovery, faults } = result
  const recovered = recovery === undefined ? 'not recovered' : `recovered in ${seconds(recovery.ms)}`
  const isLate = recovery !== undefined && recovery.ms > withinMs(faults)
  return [
    `${nameOf(result)}: ${jobs} jobs, ${events} events: ${counts}, ${repeated} repeated; ${recovered}`,
    ...isLate ? [`    late: ${stepsOf(recovery)}`] : [],
    ...FINDING_KINDS.flatMap(kind => result[kind].slice(0, SHOWN_LINES).map(line => `    ${kind}: ${line}`))
  ]
}

/** A table with a row for each fault, or each set of faults that were caused together. */
export function summary (results: RoundResult[]): string {
  const rows = [...Map.groupBy(results, nameOf)].map(([name, rounds]) => {
    const sum = (count: (round: RoundResult) => number) => String(rounds.reduce((all, round) => all + count(round), 0))
    return [
      name,
      String(rounds.length),
      sum(({ jobs }) => jobs),
      sum(({ events }) => events),
      ...FINDING_KINDS.map(kind => sum(round => round[kind].length)),
      sum(({ repeated }) => repeated),
      recoveries(rounds),
      seconds(withinMs((rounds[0] as RoundResult).faults))
    ]
  })
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map(row => (row[column] as string).length)))
  const lineOf = (row: string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ').trimEnd()
  return all.map(lineOf).join('\n')
}

function recoveries (rounds: RoundResult[]): string {
  const times = rounds.flatMap(({ recovery }) => recovery?.ms ?? []).toSorted((a, b) => a - b)
  if (times.length < rounds.length) return 'never'
  const [shortest, longest] = [times[0], times.at(-1)].map(ms => seconds(ms as number))
  return times.length === 1 ? shortest as string : `${shortest} to ${longest}`
}

function withinMs (faults: RoundResult['faults']): number {
  return Math.max(...faults.map(({ recovery }) => recovery.withinMs))
}

function stepsOf ({ steps }: Recovery): string {
  return [...steps].map(([step, ms]) => `${step} after ${seconds(ms)}`).join(', ')
}

function nameOf ({ faults }: Pick<RoundResult, 'faults'>): string {
  return faults.map(({ name }) => name).join(' + ')
}

function seconds (ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

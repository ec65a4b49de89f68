import type { TestContext } from '@tidings/testing'
import { addFindings } from '../check/findings.ts'
import type { Fault } from '../faults/fault.ts'
import { roundLines } from '../report.ts'
import { runRound, type RoundResult } from '../round.ts'
import { startChaos } from '../start.ts'
import { growths } from './growth.ts'
import { takeSample, type Sample } from './sample.ts'

const USERS = 5
const PAUSE_MS: [number, number] = [100, 900]
/** Until caches, pools and compiled code are there. */
const WARM_UP_ROUNDS = 2

/** What is kept for a time is kept for less than a third of the run. */
const env = {
  STREAM_RETENTION_MS: '20000',
  HISTORY_LENGTH: '100',
  FINALITY_TTL_MS: '20000',
  JOBS_KEEP_FINISHED_MS: '60000',
  // A round writes fewer, and the comparison reads them at its end.
  RELAY_EVENTS_BEHIND: '5000',
  RELAY_TRIM_MS: '2000',
  RETENTION_INTERVAL_MS: '5000'
}

const LOAD: Fault = {
  name: 'soak',
  what: 'load alone',
  holdMs: [15_000, 15_000],
  recovery: { since: 'end', withinMs: 5000 },
  inject: () => () => {}
}

interface SoakOptions { rounds: number, seed: number, log: (line: string) => void }

/** So many rounds of the same load, after which nothing may have grown that has no reason to. */
export async function runSoak (t: TestContext, { rounds, seed, log }: SoakOptions): Promise<RoundResult> {
  const context = await startChaos(t, { users: USERS, workers: 2, pauseMs: PAUSE_MS, env })
  const samples: Sample[] = []
  const jobs: number[] = []
  let total: RoundResult | undefined
  for (let round = 0; round < rounds + WARM_UP_ROUNDS; round++) {
    const result = await runRound(context, [LOAD], seed + round)
    for (const line of roundLines(result)) log(line)
    if (total === undefined) total = result
    else addFindings(total, result)
    if (round < WARM_UP_ROUNDS) continue
    samples.push(await takeSample(context.system))
    jobs.push(context.jobs.length)
  }
  const result = total as RoundResult
  for (const { name, first, last, isTooMuch } of growths(samples, jobs)) {
    const line = `${name}: ${first.toFixed(1)}, at the end ${last.toFixed(1)}`
    log(`${isTooMuch ? 'GROWN ' : '      '}${line}`)
    if (isTooMuch) result.wrong.push(`has grown: ${line}`)
  }
  return result
}

import type { Row } from './figures/row.ts'
import { scenarios } from './scenarios/index.ts'
import { startFixture } from './fixture/fixture.ts'
import type { FixtureOptions } from './fixture/fixture.ts'

export interface Outcome {
  rows: Row[]
  broken: string[]
  seconds: number
}

type BenchOptions = FixtureOptions & { onRows: (rows: Row[]) => void }

/** Runs the named scenarios, or all; `onRows` gets the rows of each scenario when it ends. */
export async function runBench (names: string[], { onRows, ...options }: BenchOptions): Promise<Outcome> {
  const chosen = names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
  const started = Date.now()
  const outcome: Outcome = { rows: [], broken: [], seconds: 0 }
  options.progress.status('starting Redis, Postgres, the services and the load processes')
  const fixture = await startFixture(options)
  try {
    for (const scenario of chosen) {
      const { rows, broken } = await scenario.run(fixture)
      outcome.rows.push(...rows)
      outcome.broken.push(...broken)
      onRows(rows)
    }
  } finally {
    options.progress.status('stopping')
    await fixture.close()
  }
  return { ...outcome, seconds: Math.round((Date.now() - started) / 1000) }
}

import type { Row } from './figures/row.ts'
import { scenarios } from './scenarios/index.ts'
import { setStage } from './stage/stage.ts'
import type { StageOptions } from './stage/stage.ts'

export interface Outcome {
  rows: Row[]
  broken: string[]
  seconds: number
}

/** Runs the scenarios of these names, or all; `onRows` sees each one's rows as soon as they are there. */
export async function runBench (names: string[], { onRows, ...options }: StageOptions & { onRows: (rows: Row[]) => void }): Promise<Outcome> {
  const chosen = names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
  const started = Date.now()
  const outcome: Outcome = { rows: [], broken: [], seconds: 0 }
  options.progress.say('starting Redis, Postgres, the services and the load processes')
  const stage = await setStage(options)
  try {
    for (const scenario of chosen) {
      const { rows, broken } = await scenario.run(stage)
      outcome.rows.push(...rows)
      outcome.broken.push(...broken)
      onRows(rows)
    }
  } finally {
    options.progress.say('stopping')
    await stage.close()
  }
  return { ...outcome, seconds: Math.round((Date.now() - started) / 1000) }
}

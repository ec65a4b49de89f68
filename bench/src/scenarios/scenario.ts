import type { Row } from '../figures/row.ts'
import type { Stage } from '../stage/stage.ts'

export interface Result {
  rows: Row[]
  /** What Tidings promised and did not keep, in words: the bench fails. */
  broken: string[]
}

export interface Scenario {
  /** `npm run bench -- <name>`. */
  name: string
  title: string
  run: (stage: Stage) => Promise<Result>
}

import type { Row } from '../figures/row.ts'
import type { Fixture } from '../fixture/fixture.ts'

export interface Result {
  rows: Row[]
  /** Descriptions of the promises that Tidings broke; with one of them the bench fails. */
  broken: string[]
}

export interface Scenario {
  /** `npm run bench -- <name>`. */
  name: string
  title: string
  run: (fixture: Fixture) => Promise<Result>
}

import fc from 'fast-check'
import type { Test } from 'tap'

const RUNS = 150

/** A parser, its inputs, and what must hold for each; a check throws where it does not. */
type Row<Input> = [parser: string, input: fc.Arbitrary<Input>, check: (input: Input) => unknown, runs?: number]

export const row = <Input>(...columns: Row<Input>) => columns as unknown as Row<unknown>

/** What a function returns; undefined where it throws an error of this class. Other errors fail the test. */
export function orThrows<T> (type: new (...args: never[]) => Error, work: () => T): T | undefined {
  try {
    return work()
  } catch (err) {
    if (err instanceof type) return undefined
    throw err
  }
}

/** Tests parsers, each with random inputs. */
export async function fuzzParsers (t: Test, rows: Row<unknown>[]): Promise<void> {
  for (const [parser, input, check, runs = RUNS] of rows) {
    await t.test(parser, async t => {
      await fc.assert(fc.asyncProperty(input, async value => { await check(value) }), { numRuns: runs })
      t.pass(`${runs} inputs`)
    })
  }
}

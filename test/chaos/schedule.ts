import type { Fault } from './faults/fault.ts'
import type { Random } from './random.ts'

/** Each fault once in random order, then pairs of those that may be combined, endlessly; the others alone. */
export function * schedule (faults: Fault[], random: Random): Generator<Fault[], never> {
  for (const fault of random.shuffled(faults)) yield [fault]
  for (;;) {
    const [alone, combined] = [true, false].map(isAlone => random.shuffled(
      faults.filter(fault => (fault.isAlone ?? false) === isAlone)
    )) as [Fault[], Fault[]]
    for (let i = 0; i < combined.length; i += 2) yield combined.slice(i, i + 2)
    for (const fault of alone) yield [fault]
  }
}

/** The same rounds again and again. */
export function * repeated (rounds: Fault[][]): Generator<Fault[], never> {
  for (;;) yield * rounds
}

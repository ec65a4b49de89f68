import type { Fault } from './faults/fault.ts'
import type { Random } from './random.ts'

/** Each fault once in random order, then pairs of faults at a time, endlessly. */
export function * schedule (faults: Fault[], random: Random): Generator<Fault[], never> {
  for (const fault of random.shuffled(faults)) yield [fault]
  for (;;) {
    const shuffled = random.shuffled(faults)
    if (shuffled.length === 1) yield shuffled
    for (let i = 0; i + 1 < shuffled.length; i += 2) yield shuffled.slice(i, i + 2)
  }
}

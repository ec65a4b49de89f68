export type Random = ReturnType<typeof random>

/** Random choices that a seed repeats (mulberry32). */
export function random (seed: number) {
  let state = seed | 0
  function next (): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  /** An integer from `min` to below `max`. */
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min))
  return {
    between,
    /** True with this probability. */
    happens: (probability: number) => next() < probability,
    oneOf: <T>(values: readonly T[]): T => {
      if (values.length === 0) throw new Error('there is nothing to choose from')
      return values[between(0, values.length)] as T
    },
    shuffled: <T>(values: readonly T[]): T[] =>
      values.map(value => ({ value, order: next() })).toSorted((a, b) => a.order - b.order).map(({ value }) => value)
  }
}

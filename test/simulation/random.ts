export type Random = ReturnType<typeof seededRandom>

/** Pseudo-random numbers (mulberry32): the same seed gives the same numbers. */
export function seededRandom (seed: number) {
  let state = seed >>> 0

  function next (): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  const below = (limit: number): number => Math.floor(next() * limit)

  return {
    /** From 0 up to, not including, 1. */
    next,
    /** An integer from 0 to `limit` - 1. */
    below,
    chance: (probability: number): boolean => next() < probability,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T
  }
}

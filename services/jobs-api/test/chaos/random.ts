export type Random = ReturnType<typeof random>

/** Random choices, repeatable by their seed. */
export function random (seed: number) {
  function chance () {
    seed = (seed + 0x6d2b79f5) | 0
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
  const between = (min: number, max: number) => min + Math.floor(chance() * (max - min))
  return {
    /** True with this probability. */
    happens: (probability: number) => chance() < probability,
    /** An integer from `min` to below `max`. */
    between,
    oneOf: <T>(values: readonly [T, ...T[]]) => values[between(0, values.length)] as T
  }
}

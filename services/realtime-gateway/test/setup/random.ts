/** Numbers that are the same for the same seed (mulberry32). */
export function seededRandom (seed: number) {
  const next = () => {
    seed = (seed + 0x6D2B79F5) | 0
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from))
  return { between, pick: <Item>(items: readonly Item[]) => items[between(0, items.length)] as Item }
}

import type { Fixture } from '../fixture/fixture.ts'

const PAIRS = 5

/**
 * Runs each cell once per round, so that a slow minute of the machine affects all of them. Every second round runs in
 * reverse order, since a cell finds the caches as the one before it left them.
 */
export async function interleave<T, K extends string> (
  { progress }: Fixture,
  { title, pairs = PAIRS, cells }: { title: string, pairs?: number, cells: Record<K, () => Promise<T>> }
): Promise<Record<K, T[]>> {
  const names = Object.keys(cells) as K[]
  const results = Object.fromEntries(names.map(name => [name, [] as T[]])) as Record<K, T[]>
  for (let pair = 1; pair <= pairs; pair++) {
    for (const name of pair % 2 === 1 ? names : names.toReversed()) {
      progress.status(`${title}: ${name}, ${pair} of ${pairs}`)
      results[name].push(await cells[name]())
    }
  }
  return results
}

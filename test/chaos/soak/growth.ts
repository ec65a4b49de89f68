import type { Sample } from './sample.ts'

/** By how much a measure of the last third may exceed that of the first third: a part of it, and an amount. */
interface Bound { part: number, amount: number }

/** Garbage and the code that V8 compiles vary; descriptors are connections of pools, which open as needed. */
const BOUNDS: [name: RegExp, bound: Bound][] = [
  [/: MB of memory$/, { part: 0.3, amount: 25 }],
  [/: (descriptors|connections)$/, { part: 0.2, amount: 10 }],
  [/^Redis: /, { part: 0.3, amount: 300 }],
  [/: rows of /, { part: 0.3, amount: 0.1 }]
]
/** Rows are kept for days: they may grow with the jobs, and no faster, so they are counted for each job. */
const KEPT = /: rows of /

export interface Growth { name: string, first: number, last: number, isTooMuch: boolean }

/** Compares the medians of the first and the last third of the samples; `jobs` are those sent until each sample. */
export function growths (samples: Sample[], jobs: number[]): Growth[] {
  const third = Math.floor(samples.length / 3)
  if (third === 0) throw new RangeError('growth needs three samples')
  return Object.keys(samples[0] as Sample).map(name => {
    const values = samples.map((sample, n) => (sample[name] ?? 0) / (KEPT.test(name) ? jobs[n] as number : 1))
    const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))]
    const { part, amount } = boundOf(name)
    return { name, first, last, isTooMuch: last > first * (1 + part) + amount }
  })
}

function boundOf (name: string): Bound {
  const [, bound] = BOUNDS.find(([pattern]) => pattern.test(name)) ?? []
  if (bound === undefined) throw new RangeError(`there is no bound for ${name}`)
  return bound
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

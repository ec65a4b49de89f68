import type { Spread } from './ratio.ts'
import type { Goal } from './row.ts'

const LARGE = 100

/** Three significant digits, with thousands separators. */
export function figure (value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= LARGE || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

export function times ({ median, min, max }: Spread): string {
  return `${figure(median)}× (${figure(min)}–${figure(max)})`
}

export function goalText (goal: Goal): string {
  const [sign, value] = 'atLeast' in goal ? ['≥', goal.atLeast] : ['≤', goal.atMost]
  return goal.of === 'ours' ? `${sign} ${figure(value)}` : `${sign} ${figure(value)}× ${goal.of}`
}

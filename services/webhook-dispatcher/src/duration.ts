const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How a duration is written in the configuration: `250ms`, `10s`, `5m`, `1h`, `5d`; `0` where something can be off. */
export const DURATION_PATTERN = '\\d{1,9}(ms|s|m|h|d)'

const FORM = /^(\d{1,9})(ms|s|m|h|d)$/

/** @throws TypeError where the text is not a duration */
export function durationMs (text: string): number {
  if (text.trim() === '0') return 0
  const [, amount, unit] = FORM.exec(text.trim()) ?? []
  if (amount === undefined || unit === undefined) throw new TypeError(`Not a duration: ${text}`)
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

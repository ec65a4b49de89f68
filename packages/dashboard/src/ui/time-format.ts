import { createStored } from '../lib/stored.ts'

export const zone = createStored('zone', ['local', 'utc'])
/** Whether lists say "3 min ago" or the time itself. */
export const timeStyle = createStored('time-style', ['relative', 'exact'])

type Zone = ReturnType<typeof zone.get>

const options = (of: Zone) => of === 'utc' ? { timeZone: 'UTC' } : {}
const DATE = { year: 'numeric', month: 'short', day: 'numeric' } as const
const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const

const formatters = new Map<string, Intl.DateTimeFormat>()
function formatter (of: Zone, parts: Intl.DateTimeFormatOptions) {
  const key = of + JSON.stringify(parts)
  let found = formatters.get(key)
  if (!found) formatters.set(key, found = new Intl.DateTimeFormat('en-GB', { ...parts, ...options(of) }))
  return found
}

/** 28 Nov, 10:41:36; of other years 28 Nov 2025, 10:41:36 */
export function formatTime (ms: number, of: Zone): string {
  const isThisYear = new Date(ms).getFullYear() === new Date().getFullYear()
  return formatter(of, { ...DATE, ...(isThisYear && { year: undefined }), ...CLOCK }).format(ms)
}

/** 10:41:36.250 */
export const formatClock = (ms: number, of: Zone): string =>
  formatter(of, { ...CLOCK, fractionalSecondDigits: 3 }).format(ms)

/** 10:41, 28 Nov where the step is a day, 10:41:36 below a minute, 10:41:36.250 below a second: for axes of charts. */
export function formatTick (ms: number, of: Zone, stepMs: number): string {
  if (stepMs >= 86_400_000) return formatter(of, { month: 'short', day: 'numeric' }).format(ms)
  if (stepMs > 0 && stepMs < 1000) return formatClock(ms, of)
  if (stepMs > 0 && stepMs < 60_000) return formatter(of, CLOCK).format(ms)
  return formatter(of, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms)
}

/** UTC, or UTC+01:00. */
export function zoneName (of: Zone, at = Date.now()): string {
  const offset = of === 'utc' ? 0 : -new Date(at).getTimezoneOffset()
  if (offset === 0) return 'UTC'
  const minutes = Math.abs(offset)
  const two = (value: number) => String(value).padStart(2, '0')
  return `UTC${offset < 0 ? '−' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const SPANS: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']]

/** 5 s ago, 3 min ago, in 2 h. */
export function formatRelative (ms: number, now: number): string {
  const distance = Math.abs(now - ms)
  const [size, unit] = SPANS.find(([span]) => distance >= span) ?? [1000, 's']
  const count = Math.floor(distance / size)
  if (count === 0) return 'now'
  return ms > now ? `in ${count} ${unit}` : `${count} ${unit} ago`
}

const numbers = new Intl.NumberFormat('en')
const percents = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

/** 12345 as 12,345. */
export const formatCount = (count: number): string => numbers.format(count)

/** 0.987 as 98.7%. */
export const formatShare = (share: number): string => percents.format(share)

/** Milliseconds in the largest unit that keeps two digits: 340 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration (ms: number): string {
  if (ms < 0) return '0 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's')
  if (s < 86_400) return pair(Math.floor(s / 3600), 'h', Math.floor(s % 3600 / 60), 'min')
  return pair(Math.floor(s / 86_400), 'd', Math.floor(s % 86_400 / 3600), 'h')
}

const pair = (large: number, unit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB']

/** Bytes as 512 B, 1.5 KiB, 3 MiB. */
export function formatBytes (bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), BYTE_UNITS.length - 1)
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${BYTE_UNITS[power]}`
}

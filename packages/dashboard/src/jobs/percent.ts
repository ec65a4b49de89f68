/** A number from 0 to 100 of a progress: the number itself, or a field of it that holds one. */
export function percentOf (progress: unknown): number | undefined {
  if (typeof progress === 'number') return Math.min(100, Math.max(0, progress))
  if (typeof progress !== 'object' || progress === null) return undefined
  const { percent, progress: inner, percentage } = progress as Record<string, unknown>
  const value = [percent, percentage, inner].find(each => typeof each === 'number')
  return value === undefined ? undefined : percentOf(value)
}

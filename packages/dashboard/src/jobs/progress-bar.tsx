import styles from './progress-bar.module.css'

/** A number from 0 to 100 of a progress: the number itself, or a field of it that holds one. */
function percentOf (progress: unknown): number | undefined {
  if (typeof progress === 'number') return Math.min(100, Math.max(0, progress))
  if (typeof progress !== 'object' || progress === null) return undefined
  const { percent, progress: inner, percentage } = progress as Record<string, unknown>
  const value = [percent, percentage, inner].find(each => typeof each === 'number')
  return value === undefined ? undefined : percentOf(value)
}

export function ProgressBar ({ progress, label = 'Progress' }: { progress: unknown, label?: string }) {
  const percent = percentOf(progress)
  if (percent === undefined) return <code className={styles.other}>{JSON.stringify(progress)}</code>
  return (
    <span className={styles.bar}>
      <progress max={100} value={percent} aria-label={label} />
      <span className={styles.percent}>{Math.round(percent)}%</span>
    </span>
  )
}

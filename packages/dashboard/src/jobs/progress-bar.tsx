import { percentOf } from './percent.ts'
import styles from './progress-bar.module.css'

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

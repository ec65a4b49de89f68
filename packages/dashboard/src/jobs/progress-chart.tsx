import { useMemo } from 'react'
import type { DetailedTimeline } from 'tidings'
import { Chart, type Series } from '../ui/chart/index.tsx'
import styles from './job-page.module.css'
import { pointsOf } from './progress-points.ts'

const formatPercent = (percent: number) => `${Math.round(percent)}%`

/** How the progress of a job went; nothing where it reported none, or other things than percentages. */
export function ProgressChart ({ progress, attempts }: Pick<DetailedTimeline, 'progress' | 'attempts'>) {
  const points = useMemo(() => pointsOf(progress, attempts), [progress, attempts])
  const times = useMemo(() => points.map(({ timestamp }) => timestamp), [points])
  const series = useMemo((): Series[] =>
    [{ label: 'progress over time', color: '--busy', values: points.map(({ percent }) => percent) }], [points])
  // A line needs two points.
  if (points.filter(({ percent }) => percent !== null).length < 2) return null
  return (
    <div className={styles.progress}>
      <Chart
        title='Progress over time' times={times} series={series} height={120} max={100} format={formatPercent}
      />
    </div>
  )
}

import { useMemo } from 'react'
import { Chart, type Series } from '../ui/chart/index.tsx'
import { percentOf } from './percent.ts'

const formatPercent = (percent: number) => `${Math.round(percent)}%`

interface Sample { timestamp: number, progress: unknown }

/** A line needs two points; what is no percentage has a place in the timeline of the worker, not in a chart. */
const MIN_POINTS = 2

/** How the progress of a job went; nothing where it reported none, or other things than percentages. */
export function ProgressChart ({ samples }: { samples: Sample[] }) {
  const points = useMemo(() => samples.flatMap(({ timestamp, progress }) => {
    const percent = percentOf(progress)
    return percent === undefined ? [] : [{ timestamp, percent }]
  }), [samples])
  const times = useMemo(() => points.map(({ timestamp }) => timestamp), [points])
  const series = useMemo((): Series[] =>
    [{ label: 'progress', color: '--busy', values: points.map(({ percent }) => percent) }], [points])
  if (points.length < MIN_POINTS) return null
  return (
    <Chart
      title='Progress over time' times={times} series={series} height={120} max={100} format={formatPercent}
    />
  )
}

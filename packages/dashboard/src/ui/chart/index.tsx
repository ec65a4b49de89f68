import { lazy, Suspense, useId } from 'react'
import { useStored } from '../../lib/stored.ts'
import { formatTime, zone, zoneName } from '../time-format.ts'
import styles from './chart.module.css'

const Plot = lazy(() => import('./plot.tsx'))

export interface Series {
  label: string
  /** A custom property of styles/tokens.css: `--ok`. */
  color: `--${string}`
  /** At each of the chart's times; null where there is nothing. */
  values: (number | null)[]
  kind?: 'bar' | 'line'
}

export interface ChartProps {
  /** What it shows: the name that it has for people who do not see it. */
  title: string
  /** Milliseconds, ascending, at most 200. */
  times: number[]
  series: Series[]
  /** Bars on top of each other. */
  isStacked?: boolean
  /** How a value is written, on the axis and in the table. */
  format?: (value: number) => string
  height?: number
  /** The end of the axis; by default above the largest value. */
  max?: number | undefined
}

/** A chart over time, and the same as a table. */
export function Chart (props: ChartProps) {
  const { title, times, series, format = String, height = 180 } = props
  const shownZone = useStored(zone)
  const id = useId()
  return (
    <figure className={styles.figure} aria-labelledby={id}>
      <figcaption id={id} className='visually-hidden'>{title}</figcaption>
      <Legend series={series} />
      <div className={styles.plot} style={{ height }}>
        <Suspense fallback={null}><Plot {...props} format={format} height={height} zone={shownZone} /></Suspense>
      </div>
      <details className={styles.details}>
        <summary>Show as table</summary>
        <div className={styles.tableBox} tabIndex={0} role='region' aria-label={`${title} as a table`}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope='col'>Time ({zoneName(shownZone)})</th>
                {series.map(({ label }) => <th key={label} scope='col'>{label}</th>)}
              </tr>
            </thead>
            <tbody>
              {times.map((time, index) => (
                <tr key={index}>
                  <th scope='row'>{formatTime(time, shownZone)}</th>
                  {series.map(({ label, values }) => {
                    const value = values[index]
                    return <td key={label}>{value === null || value === undefined ? '–' : format(value)}</td>
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

function Legend ({ series }: Pick<ChartProps, 'series'>) {
  return (
    <ul className={styles.legend} aria-hidden>
      {series.map(({ label, color }) => (
        <li key={label}>
          <svg width='10' height='10'><rect width='10' height='10' rx='2' style={{ fill: `var(${color})` }} /></svg>
          {label}
        </li>
      ))}
    </ul>
  )
}

import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useStored } from '../../lib/stored.ts'
import { theme } from '../../shell/theme.ts'
import { formatTick } from '../time-format.ts'
import type { ChartProps } from './index.tsx'
import styles from './chart.module.css'

type PlotProps = ChartProps & { format: (value: number) => string, height: number, zone: 'local' | 'utc' }

/** Draws a chart on a canvas, again when its data, its size or the colours of the page change. */
export default function Plot ({ times, series, isStacked = false, format, height, max, zone }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const shownTheme = useStored(theme)
  useEffect(() => {
    const target = box.current
    if (!target) return
    const options = { times, series, isStacked, format, height, max, zone }
    const make = () => new UPlot(optionsOf(target, options), dataOf(times, series, isStacked), target)
    let plot = make()
    const observer = new ResizeObserver(() => {
      if (target.clientWidth !== plot.width) plot.setSize({ width: target.clientWidth, height })
    })
    observer.observe(target)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => {
      plot.destroy()
      plot = make()
    }
    scheme.addEventListener('change', redraw)
    return () => {
      observer.disconnect()
      scheme.removeEventListener('change', redraw)
      plot.destroy()
    }
  }, [times, series, isStacked, format, height, max, zone, shownTheme])
  return <div ref={box} className={styles.canvas} aria-hidden />
}

type Drawn = Pick<PlotProps, 'times' | 'series' | 'isStacked' | 'format' | 'height' | 'max' | 'zone'>

function optionsOf (
  target: Element, { times, series, isStacked, format, height, max: end, zone }: Drawn
): UPlot.Options {
  const colorOf = (name: string) => resolve(target, name)
  const axis = {
    stroke: colorOf('--text-soft'), grid: { stroke: colorOf('--line'), width: 1 }, ticks: { show: false }, font: FONT
  }
  const isBars = series.some(({ kind }) => kind === 'bar')
  const halfBar = isBars ? ((times[1] ?? 0) - (times[0] ?? 0)) / 2000 : 0
  // A stack is drawn from its top down, each bar over the ones behind it.
  const drawn = isStacked ? series.toReversed() : series
  return {
    width: target.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    padding: [8, 26, 0, 0],
    scales: {
      // Room for half a bar at both ends.
      x: { range: (_plot, min, max) => [min - halfBar, max + halfBar] },
      y: { range: (_plot, _min, max) => [0, end ?? (max > 0 ? max * 1.1 : 1)] }
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        // Times with milliseconds are longer.
        space: (_plot, _axis, min, max) => max - min < 10 ? 110 : 60,
        values: (_plot, ticks) => ticks.map(tick => formatTick(tick * 1000, zone, spacing(ticks)))
      },
      {
        ...axis,
        size: 60,
        space: 36,
        values: (_plot, ticks) => ticks.map(format),
        // Counts, milliseconds and percents are written without fractions.
        incrs: WHOLE
      }
    ],
    series: [{}, ...drawn.map(({ label, color, kind = 'line' }): UPlot.Series => kind === 'bar'
      ? { label, fill: colorOf(color), width: 0, paths: bars, points: { show: false } }
      : { label, stroke: colorOf(color), width: 1.75, spanGaps: false, points: { show: true, size: 5, filter: lone } })]
  }
}

const bars = UPlot.paths.bars?.({ size: [0.7, 24], radius: 0.15 }) as UPlot.Series.PathBuilder

const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map(digit => digit * 10 ** power)).flat()

/** Points that no line leads to: without a mark they would not be seen. */
const lone: UPlot.Series.Points.Filter = ({ data }, series) => {
  const values = Array.from(data[series] ?? [])
  const isGap = (index: number) => values[index] === null || values[index] === undefined
  return values.flatMap((_, index) => !isGap(index) && isGap(index - 1) && isGap(index + 1) ? [index] : [])
}

const FONT = '12px system-ui, sans-serif'

const spacing = (ticks: number[]) => ticks.length > 1 ? ((ticks[1] as number) - (ticks[0] as number)) * 1000 : 0

function dataOf (times: number[], series: ChartProps['series'], isStacked: boolean): UPlot.AlignedData {
  const x = times.map(time => time / 1000)
  if (!isStacked) return [x, ...series.map(({ values }) => values)]
  const sums = times.map(() => 0)
  const stacked = series.map(({ values }) => values.map((value, index) => {
    sums[index] = (sums[index] ?? 0) + (value ?? 0)
    return sums[index]
  }))
  return [x, ...stacked.toReversed()]
}

/** A canvas knows no custom properties, and no light-dark(). */
function resolve (target: Element, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  target.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

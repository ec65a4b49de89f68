import type { DetailedTimeline } from 'tidings'
import { percentOf } from './percent.ts'

interface Point { timestamp: number, percent: number | null }

/** The percentages that were reported, with a gap where another attempt begins: there progress starts afresh. */
export function pointsOf (
  progress: DetailedTimeline['progress'], attempts: Pick<DetailedTimeline['attempts'][number], 'started'>[]
): Point[] {
  const points = progress.flatMap(({ timestamp, progress }): Point[] => {
    const percent = percentOf(progress)
    return percent === undefined ? [] : [{ timestamp, percent }]
  })
  const gaps = attempts.slice(1).map(({ started }): Point => ({ timestamp: started, percent: null }))
  return [...points, ...gaps].toSorted((a, b) => a.timestamp - b.timestamp)
}

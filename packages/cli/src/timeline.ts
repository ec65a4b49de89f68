import type { DetailedTimeline, JobTimelineEntry } from 'tidings'
import { jobFormat } from './job-text.ts'
import type { Column } from './output.ts'
import { duration, oneLine } from './text.ts'

type Sample = DetailedTimeline['progress'][number]
type Attempt = DetailedTimeline['attempts'][number]
/** An event of a job, or a sample of its progress. */
type Entry = JobTimelineEntry | (Sample & { type: 'progress' })

const time = (ms: number) => new Date(ms).toISOString()

export const timelineColumns: Column<Entry>[] = [
  { title: 'TIME', text: ({ timestamp }) => time(timestamp) },
  { title: 'EVENT', text: ({ type }) => type, format: ({ type }) => jobFormat(type) },
  { title: 'ID', text: entry => 'eventId' in entry ? entry.eventId : '' },
  { title: 'PROGRESS OR ERROR', text: detailOf, width: 500 }
]

export const attemptColumns: Column<Attempt>[] = [
  { title: 'ATTEMPT', text: ({ number }) => String(number) },
  { title: 'STARTED', text: ({ started }) => time(started) },
  { title: 'TOOK', text: ({ started, finished }) => duration((finished ?? Date.now()) - started) },
  { title: 'OUTCOME', text: outcomeOf, format: attempt => jobFormat(outcomeOf(attempt)) },
  { title: 'ERROR', text: ({ error = '' }) => error, width: 500 }
]

/** The events and the samples as one list, oldest first; at the same millisecond progress comes before an end. */
export function withProgress ({ events, progress }: DetailedTimeline): Entry[] {
  const samples = progress.map(sample => ({ type: 'progress' as const, ...sample }))
  const entries = events.flatMap((event): Entry[] => {
    const isEnd = event.state === 'completed' || event.state === 'failed'
    const latest = isEnd ? event.timestamp : event.timestamp - 1
    const later = samples.findIndex(({ timestamp }) => timestamp > latest)
    return [...samples.splice(0, later < 0 ? samples.length : later), event]
  })
  return [...entries, ...samples]
}

function outcomeOf ({ outcome }: Attempt): string {
  return outcome ?? 'active'
}

function detailOf (entry: Entry): string {
  if ('error' in entry) return entry.error ?? ''
  if (!('progress' in entry)) return ''
  return entry.progressTruncated ? 'longer than 512 characters' : oneLine(entry.progress, 500)
}

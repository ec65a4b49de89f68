import type { Job, JobSummary } from 'tidings'
import { oneLine, printable, shortened } from './text.ts'
import type { Column } from './output.ts'
import { duration } from './text.ts'

const FORMATS = {
  waiting: 'dim', delayed: 'dim', active: 'cyan', completed: 'green', failed: 'red'
} as const

/** The colour of a state. */
export const jobFormat = (state: string) => FORMATS[state as keyof typeof FORMATS]

/** What a progress says in percent: a number up to 100, or a part of a total; undefined where it is neither. */
export function percentOf (progress: unknown): number | undefined {
  if (typeof progress === 'number') return progress >= 0 && progress <= 100 ? progress : undefined
  if (typeof progress !== 'object' || progress === null) return undefined
  const { percent, percentage, progress: inner, current, completed, done, total } = progress as Record<string, unknown>
  const part = [current, completed, done].find(value => typeof value === 'number')
  if (typeof part === 'number' && typeof total === 'number' && total > 0) {
    return Math.min(100, Math.max(0, part / total * 100))
  }
  const whole = [percent, percentage, inner].find(value => typeof value === 'number')
  return whole === undefined ? undefined : percentOf(whole)
}

/** How long a job has run, or has waited where it has not begun. */
export function jobDuration ({ timestamp: { created, started, finished } }: JobSummary, now = Date.now()): string {
  return duration((finished ?? now) - (started ?? created))
}

/** `2 of 3`; `2 (1 planned)` where a retry on request, or a worker that was lost, has added to those submitted. */
export function attemptsText ({ made, max }: Job['attempts']): string {
  return made <= max ? `${made} of ${max}` : `${made} (${max} planned)`
}

export const jobColumns: Column<JobSummary>[] = [
  { title: 'ID', text: ({ id }) => id, width: 40 },
  { title: 'NAME', text: ({ name }) => name, width: 30 },
  { title: 'QUEUE', text: ({ queue }) => queue, width: 20 },
  { title: 'STATE', text: ({ state }) => state, format: ({ state }) => jobFormat(state) },
  { title: 'AGE', text: ({ timestamp }) => duration(Date.now() - timestamp.created) },
  { title: 'TOOK', text: job => job.timestamp.started === null ? '' : jobDuration(job) },
  { title: 'PROGRESS', text: ({ progress }) => typeof progress === 'number' ? `${progress}` : oneLine(progress, 30) }
]

/** A job with all that is known of it, a line for each. */
export function describeJob (job: Job): string {
  const { timestamp: { created, started, finished }, progress, result, failedReason, attempts } = job
  const time = (ms: number | null) => ms === null ? '' : new Date(ms).toISOString()
  const lines = [
    ['id', job.id], ['name', job.name], ['queue', job.queue], ['state', job.state],
    ['created', time(created)], ['started', time(started)], ['finished', time(finished)],
    ['attempts', attemptsText(attempts)], ['progress', oneLine(progress, 2000)],
    ['data', job.dataTruncated ? 'larger than 1 MiB' : job.dataRemoved ? 'not kept any more' : oneLine(job.data, 2000)],
    ['result', job.state === 'completed' ? oneLine(result, 2000) : ''],
    ['error', failedReason ? shortened(printable(failedReason), 2000) : '']
  ]
  return lines.filter(([, text]) => text).map(([name = '', text = '']) => `${name.padEnd(9)} ${printable(text)}`).join('\n')
}

import type { JobSummary } from 'tidings'
import { formatDuration } from '../lib/format.ts'
import type { Column } from '../ui/table/data-table.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { useNow } from '../ui/clock.ts'
import { Time } from '../ui/time.tsx'
import styles from './columns.module.css'
import { JobStateBadge } from './job-state.tsx'
import { ProgressBar } from './progress-bar.tsx'

/** All that can be chosen; the first one, which links to the job, is always there. */
export const COLUMNS: Column<JobSummary>[] = [
  { key: 'name', header: 'Name', width: 'minmax(110px, 1.4fr)', card: 'title', cell: ({ name }) => name },
  { key: 'state', header: 'State', width: '104px', card: 'corner', cell: job => <JobStateBadge state={job.state} /> },
  {
    key: 'progress',
    header: 'Progress',
    width: 'minmax(100px, 0.8fr)',
    card: 'hidden',
    cell: job => <Progress job={job} />
  },
  { key: 'id', header: 'Id', width: 'minmax(80px, 2fr)', cell: ({ id }) => <Id id={id} /> },
  { key: 'queue', header: 'Queue', width: 'minmax(64px, 100px)', card: 'hidden', cell: ({ queue }) => queue },
  {
    key: 'duration', header: 'Took', width: '84px', align: 'end', card: 'hidden', cell: job => <Duration job={job} />
  },
  timeColumn('created', 'Created'),
  timeColumn('started', 'Started'),
  timeColumn('finished', 'Finished')
]

function timeColumn (key: keyof JobSummary['timestamp'], header: string): Column<JobSummary> {
  return { key, header, width: '120px', align: 'end', cell: ({ timestamp }) => <Time at={timestamp[key]} /> }
}

function Id ({ id }: { id: string }) {
  return (
    <span className={styles.id}>
      <code>{id}</code><CopyButton text={id} name={`Copy the id ${id}`} />
    </span>
  )
}

function Progress ({ job: { state, progress, name } }: { job: JobSummary }) {
  if (state === 'active' || (state === 'failed' && progress !== 0)) {
    return <ProgressBar progress={progress} label={`Progress of ${name}`} />
  }
  return <span className={styles.none} aria-hidden>–</span>
}

/** From the start to the end, or until now. */
export function Duration ({ job: { state, timestamp: { started, finished } } }: {
  job: Pick<JobSummary, 'state' | 'timestamp'>
}) {
  if (started !== null && finished === null && state === 'active') return <Running since={started} />
  return <span>{started === null || finished === null ? '–' : formatDuration(finished - started)}</span>
}

function Running ({ since }: { since: number }) {
  const seconds = Math.max(0, Math.floor((useNow() - since) / 1000))
  return <span className={styles.running}>{formatDuration(seconds * 1000)}</span>
}

import { useSearch } from 'wouter'
import type { DetailedTimeline, Job, JobTimelineEntry } from 'tidings'
import type { PageProps } from '../routes.tsx'
import { PageHead } from '../shell/page.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Json } from '../ui/json/index.tsx'
import { Notice } from '../ui/notice.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { Attempts, attemptsText } from './attempts.tsx'
import { Duration } from './columns.tsx'
import { JobActions } from './job-actions.tsx'
import { JobData } from './job-data.tsx'
import styles from './job-page.module.css'
import { JobStateBadge } from './job-state.tsx'
import { Notified } from './notified.tsx'
import { ProgressBar } from './progress-bar.tsx'
import { ProgressChart } from './progress-chart.tsx'
import { Timeline } from './timeline.tsx'
import { useJob } from './use-job.ts'

const NOTHING: DetailedTimeline = { events: [], attempts: [], progress: [] }

const TRAIL = [{ label: 'Jobs', href: '/jobs' }]

export default function JobPage ({ params: { id = '' } }: PageProps) {
  const search = new URLSearchParams(useSearch())
  const queue = search.get('queue') ?? undefined
  const marked = search.get('event') ?? undefined
  const { key, job: { data: job, error, refetch }, timeline, arrivals } = useJob(id, queue)
  if (!job) {
    return (
      <>
        <PageHead title='Job' trail={TRAIL}><code>{id}</code></PageHead>
        {error ? <ErrorView error={error} onRetry={refetch} /> : <Loading label='Loading the job' />}
      </>
    )
  }
  const { events, attempts, progress } = timeline.data ?? NOTHING
  return (
    <>
      <PageHead title={job.name} trail={TRAIL} actions={<JobActions job={job} jobKey={key} />}>
        <JobStateBadge state={job.state} />
        <span className={styles.id}><code>{job.id}</code><CopyButton text={job.id} name='Copy the id' /></span>
      </PageHead>
      <div className={styles.stack}>
        {error && <p role='status' className={styles.stale}>Not up to date: there is no answer at the moment.</p>}
        {marked !== undefined && timeline.data && <MarkedEvent id={marked} events={events} />}
        {job.failedReason !== undefined && <Failure job={job} />}
        <Panel>
          {(job.state === 'active' || job.progress !== 0) && (
            <div className={styles.progress}><ProgressBar progress={job.progress} label={`Progress of ${job.name}`} /></div>
          )}
          <ProgressChart progress={progress} attempts={attempts} />
          <Facts>
            <Fact name='Queue'>{job.queue}</Fact>
            <Fact name='Attempts'>{attemptsText(job.attempts)}</Fact>
            <Fact name='Took'><Duration job={job} /></Fact>
            <Fact name='Created'><Time at={job.timestamp.created} as='exact' /></Fact>
            <Fact name='Started'><Time at={job.timestamp.started} as='exact' /></Fact>
            <Fact name='Finished'><Time at={job.timestamp.finished} as='exact' /></Fact>
          </Facts>
        </Panel>
        <div className={styles.columns}>
          <Panel title='Timeline'><Timeline events={events} created={job.timestamp.created} marked={marked} /></Panel>
          <Panel title='Attempts'><Attempts attempts={attempts} {...job.attempts} /></Panel>
        </div>
        <Notified job={job} jobKey={key} events={events} arrivals={arrivals} marked={marked} />
        <div className={styles.columns}>
          <JobData job={job} jobKey={key} />
          <Panel title='Result'><Result job={job} /></Panel>
        </div>
      </div>
    </>
  )
}

/** Says where the event is that a link has led to. */
function MarkedEvent ({ id, events }: { id: string, events: JobTimelineEntry[] }) {
  const event = events.find(({ eventId }) => eventId === id)
  return (
    <Notice tone='idle' title={event ? <>Event {id}: {event.state}</> : <>Event {id}</>}>
      {event
        ? 'It is marked in the timeline, and below with who was notified of it.'
        : 'It is no line of the timeline: that has no progress, and the newest 1,000 of the others. What of it went ' +
          'to webhooks is marked below.'}
    </Notice>
  )
}

function Failure ({ job: { failedReason = '', errorTruncated } }: { job: Job }) {
  return (
    <div className={styles.failure}>
      <pre tabIndex={0} role='region' aria-label='Why it failed'>{failedReason}</pre>
      {errorTruncated && <p>The text is longer than 1 MiB; this is its beginning.</p>}
    </div>
  )
}

const NO_RESULT: Partial<Record<Job['state'], string>> = {
  completed: 'The worker returned nothing.',
  failed: 'It failed, so there is none.'
}

function Result ({ job: { state, result, resultTruncated } }: { job: Job }) {
  if (resultTruncated) return <p className={styles.none}>The result is larger than 1 MiB and was not kept.</p>
  if (result !== undefined) return <Json value={result} name='Result' root='returnvalue' />
  return <p className={styles.none}>{NO_RESULT[state] ?? 'There is none yet.'}</p>
}

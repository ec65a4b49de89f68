import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { JobState, JobSummary } from 'tidings'
import { hrefOfJob } from '../jobs/href.ts'
import { JobStateBadge } from '../jobs/job-state.tsx'
import { useClient } from '../live/tidings.tsx'
import { hrefAs } from '../session/acting.ts'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { Time } from '../ui/time.tsx'
import { ALL_USERS, POLL_MS } from './all-users.ts'

const COLUMNS: Column<JobSummary>[] = [
  { key: 'name', header: 'Name', width: 'minmax(80px, 1fr)', card: 'title', cell: ({ name }) => name },
  { key: 'user', header: 'User', width: 'minmax(80px, 0.6fr)', cell: ({ userId }) => String(userId) },
  { key: 'state', header: 'State', width: '104px', card: 'corner', cell: job => <JobStateBadge state={job.state} /> },
  { key: 'id', header: 'Id', width: 'minmax(60px, 1.4fr)', cell: ({ id }) => <code>{id}</code> },
  { key: 'queue', header: 'Queue', width: 'minmax(64px, 120px)', card: 'hidden', cell: ({ queue }) => queue },
  {
    key: 'created',
    header: 'Created',
    width: '120px',
    align: 'end',
    cell: ({ timestamp: { created } }) => <Time at={created} />
  }
]

/** The newest jobs of all users in a state; a row opens the job's page as its user. */
export function AllJobs ({ state }: { state: JobState }) {
  const client = useClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['operators', 'jobs', state],
    queryFn: ({ signal }) => client.jobs.list({ ...ALL_USERS, status: state, signal }).page(),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData
  })
  if (error && !data) return <ErrorView error={error} onRetry={refetch} />
  if (!data) return <Loading rows={4} />
  const { jobs } = data
  if (jobs.length === 0) return <Empty title={`No user has a job that is ${state}`} />
  return (
    <DataTable
      label={`Jobs of all users that are ${state}`} columns={COLUMNS} count={jobs.length} total={-1}
      rowAt={index => jobs[index]}
      hrefOf={job => hrefAs(String(job.userId), hrefOfJob(job))}
    />
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { JobSummary } from 'tidings'
import { useClient, useLiveEvents, usePolling } from '../live/tidings.tsx'
import { PageHead } from '../shell/page.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { Time } from '../ui/time.tsx'
import { JobStateBadge } from './job-state.tsx'

const COLUMNS: Column<JobSummary>[] = [
  { key: 'name', header: 'Name', width: 'minmax(140px, 2fr)', card: 'title', cell: ({ name }) => name },
  { key: 'state', header: 'State', width: '110px', card: 'corner', cell: job => <JobStateBadge state={job.state} /> },
  { key: 'id', header: 'Id', width: 'minmax(120px, 2fr)', cell: ({ id }) => <code>{id}</code> },
  { key: 'created', header: 'Created', width: '170px', align: 'end', cell: job => <Time at={job.timestamp.created} /> }
]

const KEY = ['jobs', 'first']

export default function JobsPage () {
  const client = useClient()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => client.jobs.list({ limit: 100, signal }).page(),
    refetchInterval: usePolling()
  })
  useLiveEvents(() => { queries.invalidateQueries({ queryKey: KEY }, { cancelRefetch: false }).catch(() => {}) })
  return (
    <>
      <PageHead
        title='Jobs'
        actions={<Call path='/jobs' sdk='for await (const job of client.jobs.list()) console.log(job)' />}
      />
      <Panel isFlush>
        {error && !data
          ? <ErrorView error={error} onRetry={refetch} />
          : !data
              ? <Loading />
              : data.jobs.length === 0
                ? <Empty title='No jobs yet'>Submit one, and it appears here.</Empty>
                : <DataTable
                    label='Jobs' columns={COLUMNS} count={data.jobs.length} rowAt={index => data.jobs[index]}
                    hrefOf={({ id }) => `/jobs/${encodeURIComponent(id)}`}
                  />}
      </Panel>
    </>
  )
}

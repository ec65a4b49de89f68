import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useClient, useLiveEvents, usePolling } from '../live/tidings.tsx'
import type { PageProps } from '../routes.tsx'
import { PageHead } from '../shell/page.tsx'
import { Json } from '../ui/json/index.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { JobStateBadge } from './job-state.tsx'

const TRAIL = [{ label: 'Jobs', href: '/jobs' }]

export default function JobPage ({ params: { id = '' } }: PageProps) {
  const client = useClient()
  const queries = useQueryClient()
  const queryKey = ['job', id]
  const { data: job, error, refetch } = useQuery({
    queryKey, queryFn: ({ signal }) => client.jobs.get(id, { signal }), refetchInterval: usePolling()
  })
  useLiveEvents(item => {
    if (item.type === 'gap' || item.jobId === id) queries.invalidateQueries({ queryKey }).catch(() => {})
  })
  if (error && !job) return <><PageHead title='Job' trail={TRAIL} /><ErrorView error={error} onRetry={refetch} /></>
  if (!job) return <><PageHead title='Job' trail={TRAIL} /><Loading /></>
  return (
    <>
      <PageHead title={job.name} trail={TRAIL}><JobStateBadge state={job.state} /><code>{job.id}</code></PageHead>
      <Panel title='Job'>
        <Facts>
          <Fact name='Queue'>{job.queue}</Fact>
          <Fact name='Created'><Time at={job.timestamp.created} as='exact' /></Fact>
          <Fact name='Started'><Time at={job.timestamp.started} as='exact' /></Fact>
          <Fact name='Finished'><Time at={job.timestamp.finished} as='exact' /></Fact>
        </Facts>
      </Panel>
      {job.result !== undefined && <Panel title='Result'><Json value={job.result} name='Result' /></Panel>}
    </>
  )
}

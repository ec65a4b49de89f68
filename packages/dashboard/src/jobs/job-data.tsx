import { useQuery } from '@tanstack/react-query'
import { TidingsError, type Job } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { Json } from '../ui/json/index.tsx'
import { Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import styles from './job-page.module.css'

/** What the job was submitted with; it does not change. */
export function useJobData (job: Job, jobKey: unknown[]) {
  const client = useClient()
  return useQuery({
    // Not below the key of the job, so that its events do not load it again.
    queryKey: ['job-data', ...jobKey],
    queryFn: ({ signal }) => client.jobs.get(job.id, { queue: job.queue, include: 'data', signal }),
    staleTime: Infinity
  })
}

export function JobData ({ job, jobKey }: { job: Job, jobKey: unknown[] }) {
  const { data: found, error, refetch } = useJobData(job, jobKey)
  const isHidden = error instanceof TidingsError && error.code === 'forbidden'
  return (
    <Panel title='Data'>
      {isHidden
        ? <p className={styles.none}>{error.problem?.detail ?? 'It is not shown here.'}</p>
        : error
          ? <ErrorView error={error} onRetry={refetch} />
          : found === undefined
            ? <Loading rows={3} />
            : found.dataTruncated
              ? <p className={styles.none}>The data is larger than 1 MiB.</p>
              : found.dataRemoved
                ? <p className={styles.none}>The data is no longer kept.</p>
                : found.data === undefined
                  ? <p className={styles.none}>It was submitted without data.</p>
                  : <Json value={found.data} name='Data' root='data' />}
    </Panel>
  )
}

import { useQuery } from '@tanstack/react-query'
import type { DeliverySummary } from 'tidings'
import { ShieldCheck } from 'lucide-react'
import { useClient } from '../live/tidings.tsx'
import { hrefAs } from '../session/acting.ts'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { Time } from '../ui/time.tsx'
import { ALL_USERS, POLL_MS } from './all-users.ts'
import styles from './operators-page.module.css'

interface Endpoint { latest: DeliverySummary, failures: number }

const COLUMNS: Column<Endpoint>[] = [
  {
    key: 'url',
    header: 'Endpoint',
    width: 'minmax(200px, 2fr)',
    card: 'title',
    cell: ({ latest }) => <span className={styles.url}>{latest.url}</span>
  },
  { key: 'user', header: 'User', width: 'minmax(80px, 0.6fr)', cell: ({ latest }) => String(latest.userId) },
  {
    key: 'failures',
    header: 'Failed',
    width: '84px',
    align: 'end',
    cell: ({ failures }) => <span className={styles.number}>{failures}</span>
  },
  { key: 'why', header: 'Last failure', width: 'minmax(140px, 1fr)', cell: ({ latest }) => describe(latest) },
  { key: 'at', header: 'When', width: '120px', align: 'end', cell: ({ latest }) => <Time at={latest.finishedAt} /> }
]

/** Where deliveries to all users' webhooks failed lately, the latest failure first; a row opens them as that user. */
export function FailingEndpoints () {
  const client = useClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['operators', 'failing'],
    queryFn: ({ signal }) => client.deliveries.list({ ...ALL_USERS, status: 'failed', signal }).page(),
    select: ({ deliveries }) => endpointsOf(deliveries),
    refetchInterval: POLL_MS
  })
  if (error && !data) return <ErrorView error={error} onRetry={refetch} />
  if (!data) return <Loading rows={3} />
  if (data.length === 0) return <Empty title='No delivery has failed for good' icon={<ShieldCheck size={22} />} />
  return (
    <DataTable
      label='Endpoints that fail' columns={COLUMNS} count={data.length} rowAt={index => data[index]}
      hrefOf={({ latest: { userId, webhookId } }) =>
        hrefAs(String(userId), `/deliveries?status=failed&webhookId=${webhookId}`)}
    />
  )
}

function endpointsOf (deliveries: DeliverySummary[]): Endpoint[] {
  const groups = Map.groupBy(deliveries, ({ webhookId, url }) => `${webhookId} ${url}`)
  return [...groups.values()].map(group => ({
    latest: group[0] as DeliverySummary,
    failures: group.length
  }))
}

const describe = ({ statusCode, errorClass, reason }: DeliverySummary): string =>
  statusCode ? `HTTP ${statusCode}` : errorClass ?? reason ?? 'unknown'

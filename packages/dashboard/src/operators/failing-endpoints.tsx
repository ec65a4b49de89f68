import type { DeliveryStates } from 'tidings'
import { ShieldCheck } from 'lucide-react'
import { hrefAs } from '../session/acting.ts'
import { Badge } from '../ui/badge.tsx'
import { Empty } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { Time } from '../ui/time.tsx'
import styles from './operators-page.module.css'

type Failing = DeliveryStates['failing'][number]

const COLUMNS: Column<Failing>[] = [
  {
    key: 'url',
    header: 'Endpoint',
    width: 'minmax(200px, 2fr)',
    card: 'title',
    cell: ({ url }) => <span className={styles.url}>{url}</span>
  },
  { key: 'user', header: 'User', width: 'minmax(80px, 0.6fr)', cell: ({ userId }) => userId },
  {
    key: 'status',
    header: 'Status',
    width: '104px',
    card: 'corner',
    cell: ({ status }) => <Badge tone={status === 'disabled' ? 'bad' : 'warn'} dot>{status}</Badge>
  },
  { key: 'failures', header: 'In a row', width: '84px', align: 'end', cell: ({ failures }) => failures },
  { key: 'since', header: 'Failing since', width: '130px', align: 'end', cell: row => <Time at={row.failingSince} /> }
]

/** The webhooks of all users whose attempts fail, or that are disabled; a row opens one as its user. */
export function FailingEndpoints ({ failing }: { failing: Failing[] }) {
  if (failing.length === 0) {
    return <Empty title='The last attempt at every endpoint succeeded' icon={<ShieldCheck size={22} />} />
  }
  return (
    <DataTable
      label='Endpoints that fail' columns={COLUMNS} count={failing.length} rowAt={index => failing[index]}
      hrefOf={({ userId, id }) => hrefAs(userId, `/webhooks/${id}`)}
    />
  )
}

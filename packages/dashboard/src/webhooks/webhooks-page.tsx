import { useLocation } from 'wouter'
import { Plus, Webhook as Icon } from 'lucide-react'
import type { Webhook } from 'tidings'
import { shortUrl } from '../deliveries/short-url.ts'
import { useCan } from '../session/use-can.ts'
import { PageHead } from '../shell/page.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { ButtonLink } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { NextAttempt } from './endpoint-state.tsx'
import { HealthBars, Latency, SuccessRate } from './health.tsx'
import { LegacyPanel } from './legacy-panel.tsx'
import { useWebhooks } from './queries.ts'
import { WebhookBadge } from './webhook-badge.tsx'
import { filterText, typesText } from './webhook-words.ts'
import styles from './webhooks-page.module.css'
import { isDraft } from './draft.ts'

const COLUMNS: Column<Webhook>[] = [
  {
    key: 'url',
    header: 'Webhook',
    width: 'minmax(80px, 2.4fr)',
    card: 'title',
    cell: ({ url, description }) => (
      <>{description || shortUrl(url)}{description && <span className={styles.soft}> {shortUrl(url)}</span>}</>
    )
  },
  { key: 'status', header: 'Status', width: '100px', card: 'corner', cell: row => <WebhookBadge webhook={row} /> },
  {
    key: 'events',
    header: 'Events',
    width: 'minmax(60px, 1.4fr)',
    cell: row => isDraft(row)
      ? 'tests only'
      : <span title={filterText(row)}>{typesText(row)} <span className={styles.soft}>of {filterText(row)}</span></span>
  },
  { key: 'bars', header: 'Last 24 hours', width: '110px', card: 'hidden', cell: ({ id }) => <HealthBars id={id} /> },
  { key: 'rate', header: 'Delivered', width: '76px', align: 'end', cell: ({ id }) => <SuccessRate id={id} /> },
  { key: 'p95', header: 'p95', width: '76px', align: 'end', cell: ({ id }) => <Latency id={id} /> }
]

/** Beside the status, while the endpoint of a webhook fails. */
const NEXT_ATTEMPT: Column<Webhook> = {
  key: 'next',
  header: 'Next attempt',
  width: '116px',
  cell: webhook => isFailing(webhook) ? <NextAttempt health={webhook.health} /> : '–'
}
const WITH_NEXT_ATTEMPT = COLUMNS.toSpliced(2, 0, NEXT_ATTEMPT)

const isFailing = ({ status, health, filter }: Webhook) =>
  status === 'active' && health.circuit !== 'closed' && !isDraft({ filter })

const columnsFor = (webhooks: Webhook[]) => webhooks.some(isFailing) ? WITH_NEXT_ATTEMPT : COLUMNS

export default function WebhooksPage () {
  const { data: webhooks, error, refetch } = useWebhooks()
  const [, navigate] = useLocation()
  const canWrite = useCan('webhooks:write')
  useShortcut('n', 'New webhook', () => navigate('/webhooks/new'), canWrite)
  const create = canWrite && (
    <ButtonLink href='/webhooks/new' kind='primary' icon={<Plus size={15} aria-hidden />}>New webhook</ButtonLink>
  )
  return (
    <>
      <PageHead
        title='Webhooks'
        actions={(
          <>
            <Call path='/webhooks' sdk='console.log(await client.webhooks.list())' />
            {webhooks?.length !== 0 && create}
          </>
        )}
      />
      <div className={styles.parts}>
        <Panel isFlush>
          {error && !webhooks
            ? <ErrorView error={error} onRetry={refetch} />
            : !webhooks
                ? <Loading />
                : webhooks.length === 0
                  ? (
                    <Empty title='No webhooks yet' icon={<Icon size={22} />}>
                      <p>
                        A webhook posts the events of your jobs to an address of yours: signed, in order, with retries.
                      </p>
                      <div className={styles.create}>{create}</div>
                    </Empty>
                    )
                  : <DataTable
                      label='Webhooks' columns={columnsFor(webhooks)} count={webhooks.length}
                      rowAt={index => webhooks[index]} hrefOf={({ id }) => `/webhooks/${id}`}
                    />}
        </Panel>
        <LegacyPanel />
      </div>
    </>
  )
}

import { useCallback, useEffect, useMemo, useState } from 'react'
import { useSearchParams } from 'wouter'
import { ArrowUp } from 'lucide-react'
import type { DeliverySummary } from 'tidings'
import { BulkList } from '../bulk/bulk-list.tsx'
import { ConfirmBulk } from '../bulk/confirm-bulk.tsx'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable, type Column } from '../ui/table/data-table.tsx'
import { Time } from '../ui/time.tsx'
import styles from './delivery-log.module.css'
import { DeliveryBadge, eventText, outcomeText } from './delivery-words.tsx'
import { FilterBar } from './filter-bar.tsx'
import { formatFilters, isFiltered, parseFilters, queryOf, type DeliveryFilters } from './filters.ts'
import { shortUrl } from './short-url.ts'
import { MAX_ROWS, useDeliveries, type ReadPage } from './use-deliveries.ts'
import { useSelection } from './use-selection.ts'

const STATUS: Column<DeliverySummary> = {
  key: 'status',
  header: 'Status',
  width: '104px',
  card: 'corner',
  cell: ({ status }) => <DeliveryBadge status={status} />
}
const EVENT: Column<DeliverySummary> = {
  key: 'event',
  header: 'Event',
  width: 'minmax(60px, 1.6fr)',
  card: 'title',
  cell: ({ name, eventType, origin }) => (
    <>
      {origin === 'test' ? 'Test' : name ?? 'Job'}
      <span className={styles.soft}> {eventText({ eventType, origin })}</span>
    </>
  )
}
const JOB: Column<DeliverySummary> =
  { key: 'job', header: 'Job', width: 'minmax(40px, 1fr)', cell: ({ jobId }) => <code>{jobId ?? '–'}</code> }
const URL_OF: Column<DeliverySummary> = {
  key: 'url',
  header: 'To',
  width: 'minmax(40px, 1.6fr)',
  cell: ({ url }) => <span title={url}>{shortUrl(url)}</span>
}
const RESPONSE: Column<DeliverySummary> = {
  key: 'response',
  header: 'Response',
  width: '84px',
  cell: row => <span title={row.reason ?? undefined}>{outcomeText(row)}</span>
}
const ATTEMPTS: Column<DeliverySummary> =
  { key: 'attempts', header: 'Attempts', width: '68px', align: 'end', cell: row => row.attemptCount }
const CREATED: Column<DeliverySummary> =
  { key: 'created', header: 'Created', width: '132px', align: 'end', cell: row => <Time at={row.createdAt} /> }

const OF_ALL = [EVENT, STATUS, RESPONSE, ATTEMPTS, JOB, URL_OF, CREATED]
const OF_ONE = [EVENT, STATUS, RESPONSE, ATTEMPTS, JOB, CREATED]

/** The deliveries to one webhook, or to all, with their filters in the address, and what can be done with many. */
export function DeliveryLog ({ webhookId, empty }: {
  webhookId?: number
  /** Shown where there are none, and no filter. */
  empty: React.ReactNode
}) {
  const client = useClient()
  const [params, setParams] = useSearchParams()
  const filters = useMemo(() => parseFilters(params), [params])
  const query = useMemo(() => queryOf(filters, Date.now()), [filters])
  const change = useCallback(
    (next: DeliveryFilters) => setParams(formatFilters(next), { replace: true }), [setParams])

  const read: ReadPage = page => webhookId === undefined
    ? client.deliveries.list({ ...query, ...page }).page()
    : client.webhooks.deliveries(webhookId, { ...query, ...page }).page()
  const list = useDeliveries([webhookId, query], read)
  const { rows, newCount, hasMore, isFull, loadMore } = list
  const selection = useSelection(rows)
  const canWrite = useCan('webhooks:write')
  const [bulk, setBulk] = useState<'selected' | 'all'>()
  useEffect(() => {
    if (newCount > 0) announce(`${newCount === Infinity ? 'Many' : newCount} new deliveries`)
  }, [newCount])
  const onRange = useCallback((_first: number, last: number) => {
    if (last >= rows.length - 20) loadMore()
  }, [rows.length, loadMore])

  const of = webhookId === undefined ? '/deliveries' : `/webhooks/${webhookId}/deliveries`
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString()
  const method = webhookId === undefined ? 'client.deliveries.list(' : `client.webhooks.deliveries(${webhookId}, `
  return (
    <>
      <BulkList actions={['redeliver']} onEnd={list.refresh} />
      <FilterBar filters={filters} onChange={change} hasWebhooks={webhookId === undefined} />
      <Panel isFlush>
        <div className={styles.bar}>
          <Summary list={list} selected={selection.ids.length} />
          {newCount > 0 && (
            <Button size='small' icon={<ArrowUp size={14} aria-hidden />} onClick={list.showNew}>
              {newCount === Infinity ? 'Newer deliveries' : `${formatCount(newCount)} new`}
            </Button>
          )}
          <span className={styles.space} />
          {selection.ids.length > 0 && (
            <>
              <Button size='small' kind='quiet' onClick={selection.clear}>Clear selection</Button>
              <Button size='small' onClick={() => setBulk('selected')}>Redeliver {selection.ids.length}</Button>
            </>
          )}
          {canWrite && rows.length > 0 && (
            <Button size='small' onClick={() => setBulk('all')}>Redeliver all…</Button>
          )}
          <Call
            size='small' path={search ? `${of}?${search}` : of}
            sdk={`for await (const delivery of ${method}${JSON.stringify(query)})) console.log(delivery)`}
          />
        </div>
        {list.error && !list.isLoaded
          ? <ErrorView error={list.error} onRetry={list.retry} />
          : !list.isLoaded
              ? <Loading />
              : rows.length === 0
                ? <Nothing isFiltered={isFiltered(filters)} empty={empty} />
                : <DataTable
                    label='Deliveries' columns={webhookId === undefined ? OF_ALL : OF_ONE}
                    count={rows.length + (hasMore ? 1 : 0)} total={hasMore || isFull ? -1 : rows.length}
                    rowAt={index => rows[index]} hrefOf={({ id }) => `/deliveries/${id}`} onRange={onRange}
                    selection={canWrite ? selection.table : undefined}
                  />}
        {list.isLoaded && Boolean(list.error) && <ErrorView error={list.error} onRetry={list.retry} />}
        {isFull && (
          <p className={styles.full}>
            These are the newest {formatCount(MAX_ROWS)}. Choose a time or another filter to see older ones.
          </p>
        )}
      </Panel>
      {bulk && (
        <ConfirmBulk
          bulk={bulk === 'selected'
            ? { action: 'redeliver', ids: selection.ids }
            : { action: 'redeliver', filter: { ...query, ...(webhookId && { webhookId }) } }}
          onClose={() => setBulk(undefined)} onConfirmed={() => { setBulk(undefined); selection.clear() }}
        />
      )}
    </>
  )
}

function Summary ({ list: { rows, hasMore, isFull, isLoaded, isStale }, selected }: {
  list: Pick<ReturnType<typeof useDeliveries>, 'rows' | 'hasMore' | 'isFull' | 'isLoaded' | 'isStale'>
  selected: number
}) {
  if (!isLoaded) return null
  if (selected > 0) return <span className={styles.summary}>{formatCount(selected)} selected</span>
  return (
    <span className={styles.summary}>
      {formatCount(rows.length)}{hasMore || isFull ? '+' : ''} {rows.length === 1 ? 'delivery' : 'deliveries'}
      {isStale && <span className={styles.stale}> · not up to date: the service does not respond</span>}
    </span>
  )
}

function Nothing ({ isFiltered, empty }: { isFiltered: boolean, empty: React.ReactNode }) {
  return isFiltered
    ? <Empty title='No delivery matches'>Choose fewer filters, or another time.</Empty>
    : <Empty title='No deliveries yet'>{empty}</Empty>
}

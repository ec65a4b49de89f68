import { useMemo } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import type { Webhook, WebhookStats } from 'tidings'
import { DeliveryBadge, eventText, faultWords, outcomeText } from '../deliveries/delivery-words.tsx'
import { usePace } from '../deliveries/use-pace.ts'
import { formatCount, formatDuration, formatShare } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { Call } from '../ui/call.tsx'
import { Chart, type Series } from '../ui/chart/index.tsx'
import { Notice } from '../ui/notice.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { shareOf } from './health.tsx'
import styles from './overview.module.css'

/** Each with its buckets: at most 100. */
const RANGES = {
  '1h': { words: 'Hour', ms: 3_600_000, step: '1m' },
  '24h': { words: '24 hours', ms: 86_400_000, step: '30m' },
  '7d': { words: '7 days', ms: 604_800_000, step: '3h' },
  '30d': { words: '30 days', ms: 2_592_000_000, step: '1d' }
} as const
type Range = keyof typeof RANGES

const REFRESH_MS = 10_000
const NEWEST = 8

/** How a webhook does: its success rate and latency over time, and the newest deliveries. */
export function Overview ({ webhook: { id } }: { webhook: Webhook }) {
  const client = useClient()
  const [params, setParams] = useSearchParams()
  const named = params.get('range') ?? ''
  const range: Range = Object.hasOwn(RANGES, named) ? named as Range : '24h'
  const { ms, step } = RANGES[range]
  const { data: stats, error, refetch } = useQuery({
    queryKey: ['webhook-stats', id, range],
    queryFn: ({ signal }) => client.webhooks.stats(id, { from: Date.now() - ms, step, signal }),
    refetchInterval: REFRESH_MS,
    placeholderData: before => before
  })
  const since = `${Math.round(ms / 3_600_000)} * 3_600_000`
  return (
    <div className={styles.parts}>
      <Panel
        title='Deliveries over time'
        actions={(
          <>
            <label>
              <span className='visually-hidden'>Time</span>
              <select
                value={range} onChange={event => setParams({ range: event.target.value }, { replace: true })}
              >
                {Object.entries(RANGES).map(([name, { words }]) => <option key={name} value={name}>{words}</option>)}
              </select>
            </label>
            <Call
              size='small' path={`/webhooks/${id}/stats?step=${step}`}
              sdk={`const { total, buckets } = await client.webhooks.stats(${id}, { from: Date.now() - ${since}, step: '${step}' })`}
            />
          </>
        )}
      >
        {stats
          ? <Figures stats={stats} />
          : error ? <ErrorView error={error} onRetry={refetch} /> : <Loading />}
      </Panel>
      <Newest id={id} />
    </div>
  )
}

function Figures ({ stats }: { stats: WebhookStats }) {
  const { total, buckets, isPartial, completeFrom } = stats
  const times = useMemo(() => buckets.map(({ from }) => from), [buckets])
  const outcomes = useMemo(() => [
    bars('delivered', '--ok', buckets), bars('failed', '--bad', buckets), bars('pending', '--busy', buckets)
  ], [buckets])
  const latencies = useMemo(() => [
    { label: 'median', color: '--busy' as const, values: buckets.map(({ latencyMs }) => latencyMs.p50) },
    { label: '95th percentile', color: '--warn' as const, values: buckets.map(({ latencyMs }) => latencyMs.p95) }
  ], [buckets])
  const share = shareOf(total)
  const { p50, p95 } = total.latencyMs
  return (
    <>
      <dl className={styles.figures}>
        <Figure name='Success rate' isBad={share !== undefined && share < 0.95}>
          {share === undefined ? '–' : formatShare(share)}
        </Figure>
        <Figure name='Delivered'>{formatCount(total.delivered)}</Figure>
        <Figure name='Failed' isBad={total.failed > 0}>{formatCount(total.failed)}</Figure>
        <Figure name='Pending'>{formatCount(total.pending)}</Figure>
        <Figure name='Attempts'>{formatCount(total.attempts)}</Figure>
        <Figure name='Median latency'>{p50 === null ? '–' : formatDuration(p50)}</Figure>
        <Figure name='95th percentile'>{p95 === null ? '–' : formatDuration(p95)}</Figure>
      </dl>
      {isPartial && completeFrom !== undefined && (
        <Notice tone='warn' title={<>Complete since <Time at={completeFrom} as='exact' /></>}>
          The newest 50,000 deliveries are counted. A shorter time shows all of it.
        </Notice>
      )}
      <div className={styles.charts}>
        <Chart title='Deliveries by outcome' times={times} series={outcomes} isStacked format={formatCount} />
        <Chart title='Latency from the event to the success' times={times} series={latencies} format={formatDuration} />
      </div>
    </>
  )
}

function bars (
  label: 'delivered' | 'failed' | 'pending', color: Series['color'], buckets: WebhookStats['buckets']
): Series {
  return { label, color, kind: 'bar', values: buckets.map(bucket => bucket[label]) }
}

function Figure ({ name, isBad = false, children }: { name: string, isBad?: boolean, children: React.ReactNode }) {
  return <div data-bad={isBad || undefined}><dt>{name}</dt><dd>{children}</dd></div>
}

function Newest ({ id }: { id: number }) {
  const client = useClient()
  const queries = useQueryClient()
  const queryKey = ['webhook-newest', id]
  const { paceOf } = usePace(() => { queries.invalidateQueries({ queryKey }).catch(() => {}) })
  const { data } = useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await client.webhooks.deliveries(id, { limit: NEWEST, signal }).page()).deliveries,
    refetchInterval: ({ state }) => paceOf(state.data ?? [])
  })
  return (
    <Panel
      title='Newest deliveries' isFlush
      actions={<Link href={`/webhooks/${id}/deliveries`} className={styles.all}>All deliveries</Link>}
    >
      {!data
        ? <Loading rows={3} />
        : data.length === 0
          ? (
            <Empty title='No deliveries yet'>
              It receives the events after its creation. A test or a replay sends some now.
            </Empty>
            )
          : (
            <ul className={styles.newest}>
              {data.map(each => (
                <li key={each.id}>
                  <DeliveryBadge status={each.status} />
                  <Link href={`/deliveries/${each.id}`}>
                    {each.origin === 'test' ? 'Test' : each.name ?? 'Job'} <span>{eventText(each)}</span>
                  </Link>
                  <span className={styles.response}>
                    {outcomeText(each)}{each.errorClass && `, ${faultWords(each.errorClass)?.toLowerCase()}`}
                  </span>
                  <Time at={each.createdAt} />
                </li>
              ))}
            </ul>
            )}
    </Panel>
  )
}

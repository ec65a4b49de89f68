import { useMemo } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { ChartColumn } from 'lucide-react'
import { formatCount, formatDuration, formatShare } from '../lib/format.ts'
import { createStored, useStored } from '../lib/stored.ts'
import { useThrottled } from '../lib/use-throttled.ts'
import { useClient, useLiveEvents, usePolling } from '../live/tidings.tsx'
import { Chart, type Series } from '../ui/chart/index.tsx'
import { Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import styles from './stats-panel.module.css'

/** On a phone the list comes first. */
const FIRST = matchMedia('(max-width: 720px)').matches ? 'hidden' : 'outcomes'
const shown = createStored('stats', ['outcomes', 'durations', 'hidden'], FIRST)
const range = createStored('stats-range', ['24h', '1h', '7d', '30d'])
type Range = ReturnType<typeof range.get>

const HOUR_MS = 3_600_000
const RANGES: Record<Range, { ms: number, step: number, label: string }> = {
  '1h': { ms: HOUR_MS, step: 60_000, label: 'Last hour' },
  '24h': { ms: 24 * HOUR_MS, step: 900_000, label: 'Last 24 hours' },
  '7d': { ms: 168 * HOUR_MS, step: 2 * HOUR_MS, label: 'Last 7 days' },
  '30d': { ms: 720 * HOUR_MS, step: 6 * HOUR_MS, label: 'Last 30 days' }
}
/** Finished jobs are counted again after so long. */
const PACE_MS = 10_000

/** Finished jobs by outcome, and how long they took, over time. */
export function StatsPanel ({ name, queue }: { name: string | undefined, queue: string | undefined }) {
  const view = useStored(shown)
  const chosen = useStored(range)
  const actions = (
    <>
      <label>
        <span className='visually-hidden'>Time</span>
        <select value={chosen} onChange={event => range.set(event.target.value as Range)}>
          {Object.entries(RANGES).map(([key, { label }]) => <option key={key} value={key}>{label}</option>)}
        </select>
      </label>
      <label>
        <span className='visually-hidden'>Chart</span>
        <select
          value={view}
          onChange={event => shown.set(event.target.value as ReturnType<typeof shown.get>)}
        >
          <option value='outcomes'>Outcomes</option>
          <option value='durations'>Durations</option>
          <option value='hidden'>Hidden</option>
        </select>
      </label>
    </>
  )
  return (
    <Panel title='Finished jobs' actions={actions} isFlush={view === 'hidden'}>
      {view !== 'hidden' && <Stats name={name} queue={queue} view={view} chosen={chosen} />}
    </Panel>
  )
}

function Stats ({ name, queue, view, chosen }: {
  name: string | undefined
  queue: string | undefined
  view: 'outcomes' | 'durations'
  chosen: Range
}) {
  const client = useClient()
  const queries = useQueryClient()
  const queryKey = ['jobs', 'stats', chosen, name, queue]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: ({ signal }) => {
      const { ms, step } = RANGES[chosen]
      const to = Math.ceil(Date.now() / step) * step
      return client.jobs.stats({ from: to - ms, to, step, ...(name && { name }), ...(queue && { queue }), signal })
    },
    placeholderData: former => former,
    refetchInterval: usePolling()
  })
  const refresh = useThrottled(() => { queries.invalidateQueries({ queryKey }).catch(() => {}) }, PACE_MS)
  useLiveEvents(({ type }) => { if (type === 'completed' || type === 'failed') refresh() })

  const times = useMemo(() => data?.buckets.map(({ from }) => from) ?? [], [data])
  const series = useMemo((): Series[] => {
    const buckets = data?.buckets ?? []
    return view === 'outcomes'
      ? [
          { label: 'completed', color: '--ok', kind: 'bar', values: buckets.map(({ completed }) => completed) },
          { label: 'failed', color: '--bad', kind: 'bar', values: buckets.map(({ failed }) => failed) }
        ]
      : [
          { label: 'median', color: '--busy', values: buckets.map(({ durationMs }) => durationMs.p50) },
          { label: '95th percentile', color: '--warn', values: buckets.map(({ durationMs }) => durationMs.p95) }
        ]
  }, [data, view])

  if (!data) return error ? <ErrorView error={error} onRetry={refetch} /> : <Loading rows={5} />
  const { completed, failed, durationMs: { p50, p95 } } = data.total
  const finished = completed + failed
  return (
    <>
      <dl className={styles.sums}>
        <Sum name='Finished' value={formatCount(finished)} />
        <Sum name='Succeeded' value={finished === 0 ? '–' : formatShare(completed / finished)} />
        <Sum name='Median' value={p50 === null ? '–' : formatDuration(p50)} />
        <Sum name='95th percentile' value={p95 === null ? '–' : formatDuration(p95)} />
      </dl>
      {finished === 0
        ? <p className={styles.none}><ChartColumn size={16} aria-hidden /> No job has finished in this time.</p>
        : (
          <Chart
            title={view === 'outcomes' ? 'Finished jobs by outcome' : 'Durations of finished jobs'} times={times}
            series={series} isStacked={view === 'outcomes'} height={150}
            format={view === 'outcomes' ? formatCount : formatDuration}
          />
          )}
      {data.isPartial && <p className={styles.none}>Only the newest 200,000 finished jobs are counted.</p>}
    </>
  )
}

function Sum ({ name, value }: { name: string, value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>
}

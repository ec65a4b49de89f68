import type { WebhookStats } from 'tidings'
import { formatCount, formatDuration, formatShare } from '../lib/format.ts'
import styles from './health.module.css'
import { useHealth } from './queries.ts'

type Counts = Pick<WebhookStats['total'], 'delivered' | 'failed'>

const BAR = { width: 3, gap: 1, height: 20 }

/** The last 24 hours as bars by the hour: what was delivered, and what failed. */
export function HealthBars ({ id }: { id: number }) {
  const { data } = useHealth(id)
  if (!data) return <span className={styles.none}>–</span>
  const { buckets, total } = data
  const most = Math.max(1, ...buckets.map(({ delivered, failed }) => delivered + failed))
  const width = buckets.length * (BAR.width + BAR.gap)
  return (
    <svg
      className={styles.bars} width={width} height={BAR.height} role='img'
      aria-label={`Last 24 hours: ${formatCount(total.delivered)} delivered, ${formatCount(total.failed)} failed`}
    >
      {buckets.map((bucket, index) => <Bar key={bucket.from} index={index} most={most} {...bucket} />)}
    </svg>
  )
}

function Bar ({ index, most, delivered, failed }: Counts & { index: number, most: number }) {
  const x = index * (BAR.width + BAR.gap)
  const heightOf = (count: number) => count === 0 ? 0 : Math.max(2, Math.round(count / most * BAR.height))
  const bad = heightOf(failed)
  const good = Math.min(heightOf(delivered), BAR.height - bad)
  if (bad + good === 0) return <rect x={x} y={BAR.height - 1} width={BAR.width} height={1} className={styles.zero} />
  return (
    <>
      <rect x={x} y={BAR.height - bad} width={BAR.width} height={bad} className={styles.bad} />
      <rect x={x} y={BAR.height - bad - good} width={BAR.width} height={good} className={styles.good} />
    </>
  )
}

/** The share that was delivered of what has ended. */
export function SuccessRate ({ id }: { id: number }) {
  const share = shareOf(useHealth(id).data?.total)
  if (share === undefined) return <span className={styles.none}>–</span>
  return <span className={share < 0.95 ? styles.low : undefined}>{formatShare(share)}</span>
}

export function Latency ({ id }: { id: number }) {
  const p95 = useHealth(id).data?.total.latencyMs.p95
  return p95 === null || p95 === undefined ? <span className={styles.none}>–</span> : <>{formatDuration(p95)}</>
}

export function shareOf (counts: Counts | undefined): number | undefined {
  const ended = counts ? counts.delivered + counts.failed : 0
  return counts && ended > 0 ? counts.delivered / ended : undefined
}

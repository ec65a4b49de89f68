import { useEffect } from 'react'
import { announce } from '../shell/announcer.tsx'
import { useNow } from '../ui/clock.ts'
import { formatClock, zone } from '../ui/time-format.ts'
import { useStored } from '../lib/stored.ts'
import { classNames } from '../lib/class-names.ts'
import styles from './live-badge.module.css'
import { useLiveStatus } from './tidings.tsx'
import type { LiveStatus } from './live.ts'

/** After so long without a connection the page says that it is offline, and since when. */
const OFFLINE_MS = 15_000

/** Says honestly whether what one sees is how things are. */
export function LiveBadge () {
  const status = useLiveStatus()
  const shownZone = useStored(zone)
  const now = useNow()
  const { label, detail, tone } = describe(status, now, at => formatClock(at, shownZone).slice(0, 8))
  useEffect(() => { announce(`Connection: ${label}`) }, [label])
  return (
    <span className={classNames(styles.live, styles[tone])} title={detail} data-state={status.state}>
      <span className={styles.dot} aria-hidden />
      <span>{label}</span>
      {status.state === 'live' && status.caughtUp > 0 && (
        <span className={styles.more}>{status.caughtUp} {status.caughtUp === 1 ? 'event' : 'events'} caught up</span>
      )}
    </span>
  )
}

function describe ({ state, reason, since, channel }: LiveStatus, now: number, clock: (ms: number) => string) {
  const lost = `The connection was lost at ${clock(since)}${reason ? ` (${reason})` : ''}.`
  switch (state) {
    case 'live':
      return { label: 'live', tone: 'ok', detail: `Changes arrive as they happen, over ${channel}.` }
    case 'idle':
    case 'connecting':
      return { label: 'connecting', tone: 'busy', detail: 'The first connection is being made.' }
    case 'recovering':
      return now - since < OFFLINE_MS && navigator.onLine
        ? { label: 'resuming', tone: 'warn', detail: `${lost} What happens meanwhile is not missed.` }
        : { label: `offline since ${clock(since)}`, tone: 'bad', detail: `${lost} The page asks every few seconds.` }
    case 'polling':
      return { label: 'polling', tone: 'warn', detail: 'Nothing can push for now: the page asks every few seconds.' }
    case 'closed':
      return { label: 'polling', tone: 'warn', detail: `No live connection${reason ? `: ${reason}` : ''}.` }
    default:
      return state satisfies never
  }
}

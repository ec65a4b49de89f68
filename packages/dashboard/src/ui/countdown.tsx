import { formatDuration } from '../lib/format.ts'
import { useNow } from './clock.ts'
import { formatTime, zone, zoneName } from './time-format.ts'
import { useStored } from '../lib/stored.ts'

/** How long it is until then, by the second: `in 23 h 59 min`; `passed` once it is over. */
export function Countdown ({ until, passed = 'over' }: { until: string | number, passed?: string }) {
  const ms = typeof until === 'number' ? until : Date.parse(until)
  const shownZone = useStored(zone)
  const left = ms - useNow()
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${formatTime(ms, shownZone)} ${zoneName(shownZone, ms)}`}>
      {left > 0 ? `in ${formatDuration(Math.ceil(left / 1000) * 1000)}` : passed}
    </time>
  )
}

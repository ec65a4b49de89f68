import { useStored } from '../lib/stored.ts'
import { useNow } from './clock.ts'
import { formatClock, formatRelative, formatTime, timeStyle, zone, zoneName } from './time-format.ts'

const MINUTE_MS = 60_000

interface TimeProps {
  /** Milliseconds since 1970, or ISO 8601; nothing is shown as a dash. */
  at: number | string | null | undefined
  /**
   * `auto` as the user has chosen, `exact` the date and time, `relative` how long ago, `clock` the time of day with
   * milliseconds.
   */
  as?: 'auto' | 'exact' | 'relative' | 'clock'
}

/** A moment, in the time zone that the user has chosen; hovering shows it in both, and as ISO 8601. */
export function Time ({ at, as = 'auto' }: TimeProps) {
  const shownZone = useStored(zone)
  const style = useStored(timeStyle)
  if (at === null || at === undefined) return <span aria-label='not yet'>–</span>
  const ms = typeof at === 'number' ? at : Date.parse(at)
  const how = as === 'auto' ? style : as
  const iso = new Date(ms).toISOString()
  return (
    <time dateTime={iso} title={`${formatTime(ms, shownZone)} ${zoneName(shownZone, ms)}\n${iso}`}>
      {how === 'relative'
        ? <Relative ms={ms} />
        : how === 'clock' ? formatClock(ms, shownZone) : formatTime(ms, shownZone)}
    </time>
  )
}

function Relative ({ ms }: { ms: number }) {
  const isNear = Math.abs(Date.now() - ms) < MINUTE_MS
  return formatRelative(ms, useNow(isNear ? 1000 : MINUTE_MS / 4))
}

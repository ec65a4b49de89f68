import { useEffect, useEffectEvent, useRef } from 'react'
import { useLiveEvents, useLiveStatus } from '../live/tidings.tsx'
import { IDLE_MS, untilNextAttempt, type Attempted } from './until-next-attempt.ts'

/** The dispatcher takes an event up a moment after this page has it; events of that time cost one request. */
const SOON_MS = 1500
/** After an event its deliveries come into being with the outcome of their first attempt. */
const BUSY_MS = 4000
const YOUNG_MS = 60_000

/**
 * Calls `refresh` soon after events of the user's jobs, which make deliveries, and says how long to wait otherwise
 * (decision 0049).
 */
export function usePace (refresh: () => void) {
  const { state } = useLiveStatus()
  const changedAt = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const call = useEffectEvent(refresh)
  useLiveEvents(() => {
    changedAt.current = Date.now()
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      if (!document.hidden) call()
    }, SOON_MS)
  })
  useEffect(() => () => {
    clearTimeout(timer.current)
    timer.current = undefined
  }, [])
  return {
    /** Deliveries come, though no event says so. */
    expect: () => { changedAt.current = Date.now() },
    /** Milliseconds to the next request. */
    paceOf: (deliveries: Attempted[]): number => {
      const isBusy = state !== 'live' || Date.now() - changedAt.current < YOUNG_MS
      return Math.min(isBusy ? BUSY_MS : IDLE_MS, untilNextAttempt(deliveries) ?? Infinity)
    }
  }
}

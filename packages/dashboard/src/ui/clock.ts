import { useSyncExternalStore } from 'react'

const SECOND_MS = 1000

interface Clock { now: number, listeners: Set<() => void>, timer?: ReturnType<typeof setInterval> | undefined }

const clocks = new Map<number, Clock>()

/** The time in milliseconds, renewed each `everyMs`; all that use the same pace share one timer. */
export function useNow (everyMs = SECOND_MS): number {
  const clock = clocks.get(everyMs) ?? { now: Date.now(), listeners: new Set() }
  clocks.set(everyMs, clock)
  return useSyncExternalStore(listener => {
    clock.listeners.add(listener)
    if (clock.timer === undefined) {
      clock.now = Date.now()
      clock.timer = setInterval(() => {
        clock.now = Date.now()
        for (const each of clock.listeners) each()
      }, everyMs)
    }
    return () => {
      clock.listeners.delete(listener)
      if (clock.listeners.size > 0) return
      clearInterval(clock.timer)
      clock.timer = undefined
    }
  }, () => clock.now)
}

import { performance } from 'node:perf_hooks'

const TICK_MS = 1

/** Decides when the next event may be emitted. */
export interface Throttle {
  /** Resolves when the next event may be emitted; undefined when it may be at once. */
  acquire: () => Promise<void> | undefined
  /** How many events have arrived everywhere. */
  arrived: (count: number) => void
  /** Ends the throttling: everything is emitted at once from now on. */
  disable: () => void
}

/** Limits the events in flight: gives the highest rate at which no backlog builds up. */
export function windowThrottle (size: number): Throttle {
  const waiting: (() => void)[] = []
  let admitted = 0
  let limit = size
  return {
    acquire: () => {
      if (admitted < limit) {
        admitted++
        return undefined
      }
      return new Promise(resolve => waiting.push(resolve))
    },
    arrived: count => {
      limit = Math.max(limit, size + Math.floor(count))
      const free = Math.min(limit - admitted, waiting.length)
      admitted += free
      for (const resolve of waiting.splice(0, free)) resolve()
    },
    disable: () => {
      limit = Infinity
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
}

/** A fixed number of events per second, whether they arrive or not. */
export function rateThrottle (perSecond: number): Throttle {
  let isDisabled = false
  const waiting: (() => void)[] = []
  const started = performance.now()
  let admitted = 0
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - started) * perSecond / 1000) - admitted
    const free = Math.min(due, waiting.length)
    admitted += free
    for (const resolve of waiting.splice(0, free)) resolve()
  }, TICK_MS)
  return {
    acquire: () => isDisabled ? undefined : new Promise(resolve => waiting.push(resolve)),
    arrived: () => {},
    disable: () => {
      isDisabled = true
      clearInterval(timer)
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
}

import { performance } from 'node:perf_hooks'

const TICK_MS = 1

/** Decides when the next event may be told. */
export interface Gate {
  pass: () => Promise<void> | undefined
  /** How many events have arrived everywhere. */
  arrived: (count: number) => void
  /** Lets everything pass from now on. */
  close: () => void
}

/** At most so many events under way: the highest rate at which nothing piles up. */
export function windowGate (size: number): Gate {
  const waiting: (() => void)[] = []
  let passed = 0
  let limit = size
  return {
    pass: () => {
      if (passed < limit) {
        passed++
        return undefined
      }
      return new Promise(resolve => waiting.push(resolve))
    },
    arrived: count => {
      limit = Math.max(limit, size + Math.floor(count))
      const free = Math.min(limit - passed, waiting.length)
      passed += free
      for (const resolve of waiting.splice(0, free)) resolve()
    },
    close: () => {
      limit = Infinity
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
}

/** So many events a second, whatever becomes of them. */
export function rateGate (perSecond: number): Gate {
  let isClosed = false
  const waiting: (() => void)[] = []
  const started = performance.now()
  let passed = 0
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - started) * perSecond / 1000) - passed
    const free = Math.min(due, waiting.length)
    passed += free
    for (const resolve of waiting.splice(0, free)) resolve()
  }, TICK_MS)
  return {
    pass: () => isClosed ? undefined : new Promise(resolve => waiting.push(resolve)),
    arrived: () => {},
    close: () => {
      isClosed = true
      clearInterval(timer)
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
}

import { Endpoint, originOf } from './endpoint.ts'
import { Pace } from './latency-average.ts'
import { StoreClock } from './postgres-clock.ts'
import type { Target } from '../attempt/task.ts'

/** The endpoints that this process deals with. */
export function createEndpoints (cap: number) {
  const endpoints = new Map<number, Endpoint>()
  const pace = new Pace()
  const clock = new StoreClock()

  function of (target: Target): Endpoint {
    const known = endpoints.get(target.id)
    if (known?.isAheadOf(target)) return known
    // One that has not changed need not be looked at again: its url would be parsed for every event.
    if (known && known.target?.changed_at !== target.changed_at && known.origin !== originOf(target)) leave(target.id)
    const endpoint = endpoints.get(target.id) ?? new Endpoint(target, cap, pace, clock)
    endpoints.set(target.id, endpoint)
    endpoint.renew(target)
    endpoint.heed(target)
    endpoint.usedAt = performance.now()
    return endpoint
  }

  function leave (id: number): void {
    endpoints.get(id)?.stop()
    endpoints.delete(id)
  }

  return {
    clock,
    of,
    get: (id: number) => endpoints.get(id),
    /** A webhook as it is now, undefined where it was deleted, of which deliveries wait or are under way here. */
    renew (id: number, target: Target | undefined): void {
      const known = endpoints.get(id)
      if (!known || (target && known.isAheadOf(target))) return
      if (target && known.origin === originOf(target)) known.renew(target)
      else leave(id)
    },
    all: () => endpoints.values(),
    /** Forgets those that had nothing to do for so long. */
    forgetIdle (idleMs: number): void {
      for (const endpoint of endpoints.values()) {
        const isIdle = endpoint.inFlight === 0 && endpoint.waiting.length === 0 && performance.now() - endpoint.usedAt > idleMs
        if (isIdle) endpoints.delete(endpoint.id)
      }
    }
  }
}

export type Endpoints = ReturnType<typeof createEndpoints>

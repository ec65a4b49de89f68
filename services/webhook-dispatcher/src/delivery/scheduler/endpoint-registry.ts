import type { Sql } from '../../db/sql.ts'
import { Endpoint, originOf } from './endpoint.ts'
import { LatencyAverage } from './latency-average.ts'
import { PostgresClock } from './postgres-clock.ts'
import type { Target } from '../attempt/task.ts'

/** The endpoints that this process deals with. */
export function createEndpointRegistry (cap: number) {
  const endpoints = new Map<number, Endpoint>()
  const latency = new LatencyAverage()
  const clock = new PostgresClock()

  function endpointFor (target: Target): Endpoint {
    const known = endpoints.get(target.id)
    if (known?.isNewerThan(target)) return known
    // One that has not changed need not be looked at again: its url would be parsed for every event.
    if (known && known.target?.changed_at !== target.changed_at && known.origin !== originOf(target)) remove(target.id)
    const endpoint = endpoints.get(target.id) ?? new Endpoint(target, cap, latency, clock)
    endpoints.set(target.id, endpoint)
    endpoint.update(target)
    endpoint.syncHealth(target)
    endpoint.usedAt = performance.now()
    return endpoint
  }

  function remove (id: number): void {
    endpoints.get(id)?.stop()
    endpoints.delete(id)
  }

  return {
    clock,
    endpointFor,
    get: (id: number) => endpoints.get(id),
    /** A webhook as it is now, undefined where it was deleted, of which deliveries wait or are under way here. */
    update (id: number, target: Target | undefined): void {
      const known = endpoints.get(id)
      if (!known || (target && known.isNewerThan(target))) return
      if (target && known.origin === originOf(target)) known.update(target)
      else remove(id)
    },
    all: () => endpoints.values(),
    /** Forgets those that had nothing to do for so long. */
    removeIdle (idleMs: number): void {
      for (const endpoint of endpoints.values()) {
        const isIdle = endpoint.inFlight === 0 && endpoint.waiting.length === 0 && performance.now() - endpoint.usedAt > idleMs
        if (isIdle) endpoints.delete(endpoint.id)
      }
    }
  }
}

export type EndpointRegistry = ReturnType<typeof createEndpointRegistry>

/**
 * Reads the webhooks anew of which deliveries wait or are under way here, so
 * that a change of theirs applies from the next attempt, however much this
 * process has in hand for a slow one.
 */
export async function refreshTargets (sql: Sql, endpoints: EndpointRegistry): Promise<void> {
  const ids = [...endpoints.all()].filter(({ inFlight, waiting }) => inFlight > 0 || waiting.length > 0).map(({ id }) => id)
  if (ids.length === 0) return
  const targets = await sql<Target[]>`select * from webhooks.targets where id = any(${ids}::int[])`
  const found = new Map(targets.map(target => [target.id, target]))
  for (const id of ids) endpoints.update(id, found.get(id))
}

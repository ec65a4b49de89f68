import type { Sql } from '../../db/sql.ts'
import { Endpoint, originOf } from './endpoint.ts'
import { LatencyAverage } from './latency-average.ts'
import { PostgresClock } from './postgres-clock.ts'
import type { Target } from '../attempt/task.ts'

/** The endpoints that this process sends to. */
export function createEndpointRegistry (cap: number) {
  const endpoints = new Map<number, Endpoint>()
  const latency = new LatencyAverage()
  const clock = new PostgresClock()

  function endpointFor (target: Target): Endpoint {
    const known = endpoints.get(target.id)
    if (known?.isNewerThan(target)) return known
    // Only a changed webhook is compared: otherwise its URL would be parsed for every event.
    const hasChanged = known && known.target?.changed_at !== target.changed_at
    if (hasChanged && known.origin !== originOf(target)) remove(target.id)
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
    /** Updates an endpoint from its webhook as it is now; undefined where that was deleted. */
    update (id: number, target: Target | undefined): void {
      const known = endpoints.get(id)
      if (!known || (target && known.isNewerThan(target))) return
      if (target && known.origin === originOf(target)) known.update(target)
      else remove(id)
    },
    /** Forgets all: Postgres may have lost the webhooks as they are known here. */
    clear (this: void): void {
      for (const id of endpoints.keys()) remove(id)
    },
    all: () => endpoints.values(),
    /** Removes endpoints that have been idle for this long. */
    removeIdle (idleMs: number): void {
      for (const endpoint of endpoints.values()) {
        const isIdle = endpoint.inFlight === 0 && endpoint.waiting.length === 0
        if (isIdle && performance.now() - endpoint.usedAt > idleMs) endpoints.delete(endpoint.id)
      }
    }
  }
}

export type EndpointRegistry = ReturnType<typeof createEndpointRegistry>

/**
 * Reads the webhooks with deliveries waiting or in flight here, so that a change
 * applies from the next attempt, however many deliveries this process holds.
 */
export async function refreshTargets (sql: Sql, endpoints: EndpointRegistry): Promise<void> {
  const busy = [...endpoints.all()].filter(({ inFlight, waiting }) => inFlight > 0 || waiting.length > 0)
  const ids = busy.map(({ id }) => id)
  if (ids.length === 0) return
  const targets = await sql<Target[]>`select * from webhooks.targets where id = any(${ids}::int[])`
  const found = new Map(targets.map(target => [target.id, target]))
  for (const id of ids) endpoints.update(id, found.get(id))
}

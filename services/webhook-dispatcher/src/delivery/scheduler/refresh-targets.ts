import type { Sql } from '../../db/sql.ts'
import type { Endpoints } from './endpoint-registry.ts'
import type { Target } from '../attempt/task.ts'

/**
 * Reads the webhooks anew of which deliveries wait or are under way here, so
 * that a change of theirs applies from the next attempt, however much this
 * process has in hand for a slow one.
 */
export async function renewTargets (sql: Sql, endpoints: Endpoints): Promise<void> {
  const ids = [...endpoints.all()].filter(({ inFlight, waiting }) => inFlight > 0 || waiting.length > 0).map(({ id }) => id)
  if (ids.length === 0) return
  const targets = await sql<Target[]>`select * from webhooks.targets where id = any(${ids}::int[])`
  const found = new Map(targets.map(target => [target.id, target]))
  for (const id of ids) endpoints.renew(id, found.get(id))
}

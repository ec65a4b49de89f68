import type { Sql } from '../../db/sql.ts'
import type { EndpointRegistry } from '../scheduler/endpoint-registry.ts'
import { affectedGroups, supersedeProgress } from './supersede-progress.ts'
import { tallyByEndpoint, updateHealth, type EndpointHealth, type HealthPolicy } from './circuit-breaker.ts'
import type { TaskOutcome } from './outcome-write.ts'

export type OutcomeEffects = ReturnType<typeof createOutcomeEffects>

/**
 * The effects of outcomes beyond their own deliveries: on the rest of the ordering key, and on the endpoint's health.
 */
export function createOutcomeEffects ({ endpoints, policy }: { endpoints: EndpointRegistry, policy: HealthPolicy }) {
  const wasFailing = (webhookId: number) => endpoints.get(webhookId)?.wasFailing ?? false

  return {
    /**
     * The effects, to be written in the transaction of the outcomes: three statements at most; undefined if all is
     * well.
     */
    of (outcomes: readonly TaskOutcome[]): ((tx: Sql) => Promise<EndpointHealth[]>) | undefined {
      const groups = affectedGroups(outcomes)
      const tallies = tallyByEndpoint(outcomes, wasFailing)
      if (groups.length === 0 && tallies.length === 0) return undefined
      return async function write (tx) {
        if (groups.length > 0) {
          await lockWebhooks(tx, [...groups, ...tallies])
          await supersedeProgress(tx, groups)
        }
        return tallies.length > 0 ? await updateHealth(tx, tallies, policy) : []
      }
    },
    /** To be called with the result once that transaction has committed. */
    syncHealth (health: EndpointHealth[]): void {
      for (const row of health) endpoints.get(row.id)?.syncHealth(row)
    }
  }
}

/** Locks all webhooks that are about to be written, at once and in the order of their ids, as all transactions do. */
async function lockWebhooks (tx: Sql, writes: { webhookId: number }[]): Promise<void> {
  const ids = writes.map(({ webhookId }) => webhookId)
  await tx`select from webhooks.webhooks where id = any(${ids}::int[]) order by id for no key update`
}

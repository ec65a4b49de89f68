import type { Sql } from '../../db/sql.ts'
import type { EndpointRegistry } from '../scheduler/endpoint-registry.ts'
import { affectedGroups, supersedeProgress } from './supersede-progress.ts'
import { updateHealth, tallyByEndpoint, type EndpointHealth, type HealthPolicy } from './circuit-breaker.ts'
import type { TaskOutcome } from './update-outcomes.ts'

export type OutcomeEffects = ReturnType<typeof createOutcomeEffects>

/** What attempts mean beyond their own deliveries: for the rest of the chain, and for the endpoint. */
export function createOutcomeEffects ({ endpoints, policy }: { endpoints: EndpointRegistry, policy: HealthPolicy }) {
  const wasFailing = (webhookId: number) => endpoints.get(webhookId)?.wasFailing ?? false

  return {
    /** Undefined while all is well; else what is to be done in the transaction that writes the entries: three statements at most. */
    of (entries: TaskOutcome[]): ((tx: Sql) => Promise<EndpointHealth[]>) | undefined {
      const chains = affectedGroups(entries)
      const signs = tallyByEndpoint(entries, wasFailing)
      if (chains.length === 0 && signs.length === 0) return undefined
      return async function write (tx) {
        if (chains.length > 0) {
          await lockWebhooks(tx, [...chains, ...signs])
          await supersedeProgress(tx, chains)
        }
        return signs.length > 0 ? await updateHealth(tx, signs, policy) : []
      }
    },
    /** Once that transaction is committed. */
    heed (health: EndpointHealth[]): void {
      for (const row of health) endpoints.get(row.id)?.syncHealth(row)
    }
  }
}

/** All that is going to be written, at once and in the order of their ids: whoever else does so takes turns. */
async function lockWebhooks (tx: Sql, of: { webhookId: number }[]): Promise<void> {
  await tx`select from webhooks.webhooks where id = any(${of.map(({ webhookId }) => webhookId)}::int[]) order by id for no key update`
}

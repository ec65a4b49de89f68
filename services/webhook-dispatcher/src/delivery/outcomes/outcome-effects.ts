import type { Sql } from '../../db/sql.ts'
import type { Endpoints } from '../scheduler/endpoint-registry.ts'
import { chainsOf, giveWay } from './supersede-progress.ts'
import { noteHealth, signsOf, type Health, type HealthPolicy } from './circuit-breaker.ts'
import type { Entry } from './update-outcomes.ts'

export type Aftermath = ReturnType<typeof createAftermath>

/** What attempts mean beyond their own deliveries: for the rest of the chain, and for the endpoint. */
export function createAftermath ({ endpoints, policy }: { endpoints: Endpoints, policy: HealthPolicy }) {
  const wasFailing = (webhookId: number) => endpoints.get(webhookId)?.wasFailing ?? false

  return {
    /** Undefined while all is well; else what is to be done in the transaction that writes the entries: three statements at most. */
    of (entries: Entry[]): ((tx: Sql) => Promise<Health[]>) | undefined {
      const chains = chainsOf(entries)
      const signs = signsOf(entries, wasFailing)
      if (chains.length === 0 && signs.length === 0) return undefined
      return async function write (tx) {
        if (chains.length > 0) {
          await lockWebhooks(tx, [...chains, ...signs])
          await giveWay(tx, chains)
        }
        return signs.length > 0 ? await noteHealth(tx, signs, policy) : []
      }
    },
    /** Once that transaction is committed. */
    heed (health: Health[]): void {
      for (const row of health) endpoints.get(row.id)?.heed(row)
    }
  }
}

/** All that is going to be written, at once and in the order of their ids: whoever else does so takes turns. */
async function lockWebhooks (tx: Sql, of: { webhookId: number }[]): Promise<void> {
  await tx`select from webhooks.webhooks where id = any(${of.map(({ webhookId }) => webhookId)}::int[]) order by id for no key update`
}

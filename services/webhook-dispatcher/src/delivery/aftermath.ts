import type { Sql } from '../db/sql.ts'
import type { Endpoints } from './endpoint.ts'
import { giveWay } from './give-way.ts'
import { noteHealth, signsOf, type Health, type HealthPolicy } from './health.ts'
import type { Entry } from './record.ts'

export type Aftermath = ReturnType<typeof createAftermath>

/** What failed attempts mean beyond their own deliveries: for the rest of the chain, and for the endpoint. */
export function createAftermath ({ endpoints, policy }: { endpoints: Endpoints, policy: HealthPolicy }) {
  const wasFailing = (webhookId: number) => endpoints.get(webhookId)?.wasFailing ?? false

  return {
    /** While endpoints are well there is none. */
    isNeeded (entries: Entry[]): boolean {
      return entries.some(({ result }) => result.failing) || signsOf(entries, policy, wasFailing).length > 0
    },
    /** Two statements at most; within the transaction that writes the entries. */
    async write (tx: Sql, entries: Entry[]): Promise<Health[]> {
      const chains = entries.flatMap(({ task: { target, chain }, result }) => result.failing && chain !== null ? [{ webhookId: target.id, chain }] : [])
      if (chains.length > 0) await giveWay(tx, chains)
      const signs = signsOf(entries, policy, wasFailing)
      return signs.length > 0 ? await noteHealth(tx, signs, policy) : []
    },
    /** Once that transaction is committed. */
    heed (health: Health[]): void {
      for (const row of health) endpoints.get(row.id)?.heed(row)
    }
  }
}

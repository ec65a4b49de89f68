import type { Webhook, Webhooks } from '../naive/webhooks.ts'

/** A user's webhooks are read once, and again after a change: there is one process, so it knows of every change. */
export function rememberedWebhooks (inPostgres: Webhooks): Webhooks {
  const known = new Map<string, Promise<Webhook[]>>()
  const forget = (userId: number | string) => {
    for (const key of known.keys()) if (key.startsWith(`${userId}:`)) known.delete(key)
  }
  return {
    ...inPostgres,
    find: (userId, eventType) => {
      const key = `${userId}:${eventType}`
      const found = known.get(key) ?? inPostgres.find(userId, eventType)
      known.set(key, found)
      found.catch(() => known.delete(key))
      return found
    },
    create: async (userId, webhook) => {
      const created = await inPostgres.create(userId, webhook)
      forget(userId)
      return created
    },
    remove: async (userId, id) => {
      const isRemoved = await inPostgres.remove(userId, id)
      forget(userId)
      return isRemoved
    }
  }
}

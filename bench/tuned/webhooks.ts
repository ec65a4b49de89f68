import type { Webhook, Webhooks } from '../naive/webhooks.ts'

/** Webhooks of a user are read once, and again after a change: the only process makes every change itself. */
export function cachedWebhooks (inPostgres: Webhooks): Webhooks {
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

import { randomBytes } from 'node:crypto'
import type { Sql } from 'postgres'

export interface Webhook { id: number, url: string, eventType: string, secret: string }
export interface NewWebhook { url: string, eventType: string, description?: string }
type UserId = number | string

export interface Webhooks {
  /** The user's webhooks for this type of event. */
  find: (userId: UserId, eventType: string) => Promise<Webhook[]>
  list: (userId: UserId) => Promise<object[]>
  create: (userId: UserId, webhook: NewWebhook) => Promise<object>
  remove: (userId: UserId, id: number) => Promise<boolean>
}

export function webhooksIn (sql: Sql): Webhooks {
  const shown = sql`
    id, url, event_type as "eventType", description, active, created_at as "createdAt", updated_at as "updatedAt"`
  return {
    find: async (userId, eventType) => await sql<Webhook[]>`
      select id, url, event_type as "eventType", secret from webhooks
      where user_id = ${String(userId)} and active and event_type in (${eventType}, 'all')`,

    list: async userId => await sql`select ${shown} from webhooks where user_id = ${String(userId)} order by id`,

    create: async (userId, { url, eventType, description = null }) => {
      const secret = `whsec_${randomBytes(24).toString('base64')}`
      const [created] = await sql`
        insert into webhooks (user_id, url, event_type, description, secret)
        values (${String(userId)}, ${url}, ${eventType}, ${description}, ${secret})
        returning ${shown}, secret`
      return created as object
    },

    remove: async (userId, id) => {
      const { count } = await sql`delete from webhooks where id = ${id} and user_id = ${String(userId)}`
      return count > 0
    }
  }
}

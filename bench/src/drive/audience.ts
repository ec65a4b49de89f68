import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import { call, eachOf } from './call.ts'

export const USERS = 200

const audiences = new WeakMap<Side, Promise<void>>()

/** One socket and one webhook of each user, kept for the rest of the bench. */
export function seatAudience (stage: Stage, side: Side): Promise<void> {
  const seated = audiences.get(side) ?? seat(stage, side)
  audiences.set(side, seated)
  return seated
}

async function seat ({ loads }: Stage, side: Side): Promise<void> {
  await eachOf(USERS, index => createWebhook(side, { user: index + 1, url: `${loads.sinkOrigin}/${side.name}/${index + 1}` }))
  await loads.sockets.ask('open', {
    name: side.name,
    url: side.sockets,
    protocol: side.protocol,
    tokens: Array.from({ length: USERS }, (_, index) => side.token(index + 1))
  })
}

/** Gives the id. */
export async function createWebhook (side: Pick<Side, 'webhooks' | 'token'>, { user, url }: { user: number, url: string }): Promise<number> {
  const { id } = await call<{ id: number }>(`${side.webhooks}/webhooks`, { method: 'POST', token: side.token(user), body: { url, eventType: 'all' } })
  return id
}

export async function deleteWebhook (side: Pick<Side, 'webhooks' | 'token'>, { user, id }: { user: number, id: number }): Promise<void> {
  await call(`${side.webhooks}/webhooks/${id}`, { method: 'DELETE', token: side.token(user) })
}

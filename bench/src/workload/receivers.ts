import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import { call, eachOf } from './call.ts'

export const USERS = 200

const receivers = new WeakMap<Subject, Promise<void>>()

/** Opens one socket and creates one webhook for each user; they stay for the rest of the bench. */
export function openReceivers (fixture: Fixture, subject: Subject): Promise<void> {
  const opened = receivers.get(subject) ?? open(fixture, subject)
  receivers.set(subject, opened)
  return opened
}

async function open ({ loads }: Fixture, subject: Subject): Promise<void> {
  await eachOf(USERS, index => {
    const user = index + 1
    return createWebhook(subject, { user, url: `${loads.sinkOrigin}/${subject.name}/${user}` })
  })
  await loads.sockets.ask('open', {
    name: subject.name,
    url: subject.sockets,
    protocol: subject.protocol,
    tokens: Array.from({ length: USERS }, (_, index) => subject.token(index + 1))
  })
}

type WebhookApi = Pick<Subject, 'webhooks' | 'token'>

/** Returns the id. */
export async function createWebhook (api: WebhookApi, { user, url }: { user: number, url: string }): Promise<number> {
  const body = { url, eventType: 'all' }
  const { id } = await call<{ id: number }>(`${api.webhooks}/webhooks`, {
    method: 'POST',
    token: api.token(user),
    body
  })
  return id
}

export async function deleteWebhook (api: WebhookApi, { user, id }: { user: number, id: number }): Promise<void> {
  await call(`${api.webhooks}/webhooks/${id}`, { method: 'DELETE', token: api.token(user) })
}

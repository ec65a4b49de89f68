import type { CreateWebhook, UpdateWebhook } from '@tidings/contracts'
import { invalidInput } from '@tidings/service-kit'

/** The fields of a body without null, except for the description, where null is a value. */
export type Named<Body> = { [Name in keyof Body]: Name extends 'description' ? Body[Name] : Exclude<Body[Name], null> }

export type NewWebhook = Named<CreateWebhook>
export type WebhookChanges = Omit<Named<UpdateWebhook>, typeof READ_ONLY[number]>

const READ_ONLY = ['id', 'status', 'disabledReason', 'health', 'createdAt', 'updatedAt'] as const
const isReadOnly = (name: string) => READ_ONLY.some(other => other === name)

/** Many clients send null for a field that they do not set. */
export function withoutNulls<Body extends object> (body: Body): Named<Body> {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== null || name === 'description')
  ) as Named<Body>
}

/**
 * The fields that an update changes. A body as a GET returned it has read-only fields too, which are ignored.
 * @throws INVALID_INPUT where it is another webhook's, or nothing is left
 */
export function changesOf (body: UpdateWebhook, id: number): WebhookChanges {
  if ((body.id ?? id) !== id) throw invalidInput([{ path: 'body.id', message: `must be ${id}, as in the path` }])
  const changes = Object.entries(withoutNulls(body)).filter(([name]) => !isReadOnly(name))
  if (changes.length > 0) return Object.fromEntries(changes)
  const hint = body.status === undefined ? '' : '; `active` says whether it is active'
  throw invalidInput([{ path: 'body', message: `names nothing that can be changed${hint}` }])
}

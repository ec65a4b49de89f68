import type { PublishedJobEvent, UpdateWebhook, WebhookFilter } from '@tidings/contracts'

type Sets = { queues: Set<string> | undefined, names: Set<string> | undefined }

/** A filter is compiled once for each batch that reads it, however many events the batch has. */
const compiled = new WeakMap<WebhookFilter, Sets>()

/** Whether a webhook with this filter receives events of the job. */
export function passes (filter: WebhookFilter, { queue, name }: Pick<PublishedJobEvent, 'queue' | 'name'>): boolean {
  const { queues, names } = compiled.get(filter) ?? compile(filter)
  return (queues === undefined || queues.has(queue)) && (names === undefined || names.has(name))
}

function compile (filter: WebhookFilter): Sets {
  const { queues, names } = filter
  const sets = { queues: queues && new Set(queues), names: names && new Set(names) }
  compiled.set(filter, sets)
  return sets
}

/** The filter of a body as it is stored: null where it limits nothing. */
export function storedFilter ({ queues, names }: NonNullable<UpdateWebhook['filter']>): WebhookFilter | null {
  const filter = { ...(queues && { queues }), ...(names && { names }) }
  return Object.keys(filter).length > 0 ? filter : null
}

import type { NewWebhook, Webhook } from 'tidings'
import { TidingsError } from 'tidings'
import { isDraft } from './draft.ts'

export type EventType = Webhook['eventTypes'][number]

/** What the fields of the form hold. */
export interface FormValues {
  url: string
  description: string
  eventTypes: EventType[]
  /** One a line, or with commas. */
  names: string
  queues: string
  headers: { name: string, value: string }[]
  progressMode: Webhook['progressMode']
}

export type WebhookInput = Omit<NewWebhook, 'active' | 'eventType'>

/** What the services show in place of a header's value; sending it back keeps the value. */
export const MASK = '••••'

export const NEW_VALUES: FormValues = {
  url: '', description: '', eventTypes: ['completed', 'failed'], names: '', queues: '', headers: [], progressMode: 'all'
}

export function valuesOf (webhook: Webhook): FormValues {
  const { url, description, eventTypes, filter, headers, progressMode } = webhook
  return {
    url,
    description: description ?? '',
    eventTypes,
    names: isDraft(webhook) ? '' : (filter.names ?? []).join('\n'),
    queues: (filter.queues ?? []).join('\n'),
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    progressMode
  }
}

/** The body of a request. Empty lists limit nothing, so they are left out. */
export function inputOf (values: FormValues): WebhookInput {
  const { url, description, eventTypes, names, queues, headers, progressMode } = values
  const filter = { names: itemsOf(names), queues: itemsOf(queues) }
  return {
    url: url.trim(),
    description: description.trim() || null,
    eventTypes,
    filter: {
      ...(filter.names.length > 0 && { names: filter.names }),
      ...(filter.queues.length > 0 && { queues: filter.queues })
    },
    headers: Object.fromEntries(headers.flatMap(({ name, value }) => name.trim() ? [[name.trim(), value]] : [])),
    progressMode
  }
}

const itemsOf = (text: string): string[] => [...new Set(text.split(/[\n,]/).map(item => item.trim()).filter(Boolean))]

/** The field of the form in which a fault lies. */
export type Field = 'url' | 'description' | 'eventTypes' | 'names' | 'queues' | 'headers' | 'progressMode'

/** What is wrong, before anything is sent. */
export function faultsOf ({ url, eventTypes }: FormValues): Partial<Record<Field, string>> {
  return {
    ...(!/^https?:$/.test(URL.parse(url.trim())?.protocol ?? '') && {
      url: 'This is not a web address: it begins with https:// or http://'
    }),
    ...(eventTypes.length === 0 && { eventTypes: 'Choose at least one' })
  }
}

const FIELDS: [pattern: RegExp, field: Field][] = [
  [/^body\.url/, 'url'], [/^body\.description/, 'description'], [/^body\.eventType/, 'eventTypes'],
  [/^body\.filter\.names/, 'names'], [/^body\.filter\.queues/, 'queues'], [/^body\.headers/, 'headers'],
  [/^body\.progressMode/, 'progressMode']
]

/** The faults that a service found, by field; undefined where the error is about something else. */
export function faultsIn (error: unknown): Partial<Record<Field, string>> | undefined {
  const errors = error instanceof TidingsError ? error.problem?.errors ?? [] : []
  const found = errors.flatMap(({ path, message }) => {
    const field = FIELDS.find(([pattern]) => pattern.test(path))?.[1]
    if (!field) return []
    const detail = path.replace(/^body\.(filter\.)?\w+\.?/, '')
    return [[field, detail ? `${detail} ${message}` : `It ${message}`] as const]
  })
  return found.length > 0 ? Object.fromEntries(found) : undefined
}

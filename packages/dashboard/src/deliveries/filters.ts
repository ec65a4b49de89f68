import type { ListAllDeliveriesQuery } from 'tidings'
import { looksLikeEventId } from '../lib/event-id.ts'

/** What a list of deliveries is narrowed to, as it stands in the address of the page. */
export interface DeliveryFilters {
  status: string[]
  eventType: string[]
  origin: string[]
  jobId?: string
  eventId?: string
  queue?: string
  webhookId?: number
  originId?: number
  /** A span until now: `1h`, `24h`, `7d`. It takes the place of `from` and `to`. */
  last?: Span
  /** ISO 8601 */
  from?: string
  to?: string
}

export const SPANS = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 } as const
export type Span = keyof typeof SPANS

const LISTS = ['status', 'eventType', 'origin'] as const
const TEXTS = ['jobId', 'eventId', 'queue', 'from', 'to'] as const
const IDS = ['webhookId', 'originId'] as const

/** Reads the filters of an address; what is none of them is left out. */
export function parseFilters (params: URLSearchParams): DeliveryFilters {
  const filters: DeliveryFilters = { status: [], eventType: [], origin: [] }
  for (const name of LISTS) filters[name] = (params.get(name) ?? '').split(',').filter(Boolean)
  for (const name of TEXTS) {
    const value = params.get(name)
    if (value) filters[name] = value
  }
  for (const name of IDS) {
    const value = Number(params.get(name))
    if (Number.isSafeInteger(value) && value > 0) filters[name] = value
  }
  const last = params.get('last')
  if (last !== null && Object.hasOwn(SPANS, last)) filters.last = last as Span
  return filters
}

/** The same as parameters of an address. */
export function formatFilters (filters: DeliveryFilters): URLSearchParams {
  const entries = Object.entries(filters) as [string, string | number | string[] | undefined][]
  return new URLSearchParams(entries.flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.join(',') : String(value ?? '')
    return text === '' ? [] : [[name, text]]
  }))
}

/** The filters as the services take them; `now` is where a span ends. */
export function queryOf ({ last, status, eventType, origin, ...rest }: DeliveryFilters, now: number) {
  const query: Omit<ListAllDeliveriesQuery, 'cursor' | 'limit' | 'userId'> = { ...rest }
  if (last) {
    // Whole minutes, so that the same view stays the same request.
    query.from = new Date(Math.floor((now - SPANS[last]) / 60_000) * 60_000).toISOString()
    delete query.to
  }
  if (status.length > 0) query.status = status.join(',')
  if (eventType.length > 0) query.eventType = eventType.join(',')
  if (origin.length > 0) query.origin = origin.join(',')
  return query
}

/** Finds the id that one has typed or pasted: of an event, or else of a job. */
export function searched (filters: DeliveryFilters, text: string): DeliveryFilters {
  const { jobId: _job, eventId: _event, ...rest } = filters
  const id = text.trim()
  if (id === '') return rest
  return looksLikeEventId(id) ? { ...rest, eventId: id } : { ...rest, jobId: id }
}

export function isFiltered (filters: DeliveryFilters): boolean {
  return formatFilters(filters).size > 0
}

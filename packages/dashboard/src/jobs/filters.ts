import type { JobState, ListJobsQuery, NewBulk } from 'tidings'
import { STATES } from './job-state.tsx'

/** What a list of jobs is restricted to: in the address of the page. */
export interface JobFilters {
  status: JobState[]
  /** Beginning of an id, or part of a name or of an error. */
  q?: string
  name?: string
  queue?: string
  /** Jobs of the last so and so long: a key of SINCE. */
  since?: string
  sort?: 'finished' | undefined
}

/** In milliseconds. */
export const SINCE: Record<string, { label: string, ms: number }> = {
  '1h': { label: 'Last hour', ms: 3_600_000 },
  '24h': { label: 'Last 24 hours', ms: 86_400_000 },
  '7d': { label: 'Last 7 days', ms: 7 * 86_400_000 },
  '30d': { label: 'Last 30 days', ms: 30 * 86_400_000 }
}

const MINUTE_MS = 60_000

/** What is not valid is left out: an old link still shows a list. */
export function parseFilters (search: string): JobFilters {
  const query = new URLSearchParams(search)
  const text = (name: 'q' | 'name' | 'queue') => {
    const value = query.get(name)?.trim()
    return value ? { [name]: value } : {}
  }
  const states = (query.get('status') ?? '').split(',')
  const since = query.get('since')
  return {
    status: STATES.filter(state => states.includes(state)),
    ...text('q'),
    ...text('name'),
    ...text('queue'),
    ...(since && Object.hasOwn(SINCE, since) && { since }),
    ...(query.get('sort') === 'finished' && { sort: 'finished' as const })
  }
}

/** `?status=failed&q=…`, or nothing; `more` are parameters beside the filters. */
export function filtersText ({ status, ...rest }: JobFilters, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(status.length > 0 ? { status: status.join(',') } : {})
  for (const [name, value] of Object.entries({ ...rest, ...more })) if (value) query.set(name, value)
  const text = query.toString().replaceAll('%2C', ',')
  return text && `?${text}`
}

/** The query of `GET /jobs`. Its times are whole minutes, so that the same filters make the same query for a while. */
export function listQuery ({ status, since, sort, ...rest }: JobFilters, now: number): ListJobsQuery {
  const span = since && SINCE[since]
  return {
    ...rest,
    ...(sort && { sort }),
    ...(status.length > 0 && { status }),
    ...(span && { from: Math.floor((now - span.ms) / MINUTE_MS) * MINUTE_MS })
  }
}

/** The path of that request. */
export function listPath ({ status, ...rest }: ListJobsQuery): string {
  const query = new URLSearchParams(status ? { status: [status].flat().join(',') } : {})
  for (const [name, value] of Object.entries(rest)) query.set(name, String(value))
  return query.size > 0 ? `/jobs?${query.toString().replaceAll('%2C', ',')}` : '/jobs'
}

type BulkFilter = NonNullable<Extract<NewBulk, { filter?: { q?: string } }>['filter']>

/** The same as the filter of a bulk action. */
export function bulkFilter (filters: JobFilters, now: number): BulkFilter {
  const { status, from, q, name, queue, sort } = listQuery(filters, now)
  return {
    ...(status && { status: [status].flat() }),
    ...(from !== undefined && { from }),
    ...(q && { q }),
    ...(name && { name }),
    ...(queue && { queue }),
    ...(sort && { sort })
  }
}

import {
  MAX_BULK_ITEMS, type Bulk, type BulkActionName, type BulkDryRun, type BulkError, type BulkStateName
} from '@tidings/contracts'
import { invalidInput } from '../invalid-input.ts'

/** Of a request for a bulk action, in bytes: 10,000 ids of 256 characters. */
export const BULK_BODY_LIMIT = 4 * 1024 * 1024

/** A row of the table `bulks` of a service. */
export type BulkRow = {
  n: number
  id: string
  user_id: string
  action: BulkActionName
  state: BulkStateName
  matched: number
  done: number
  failed: number
  skipped: number
  errors: BulkError[]
  reason: string | null
  created_at: Date
  finished_at: Date | null
  is_settled: boolean
}

/** Whether the bulk action is to go on with items that it has not begun. */
export function isActive ({ state }: Pick<BulkRow, 'state'>): boolean {
  return state === 'waiting' || state === 'running'
}

/** A bulk action as its user sees it. */
export function toBulk (row: BulkRow, prefix: string): Bulk {
  const { id, action, state, matched, done, failed, skipped, errors, reason } = row
  const createdAt = row.created_at.toISOString()
  const finishedAt = row.finished_at?.toISOString() ?? null
  return {
    bulkId: prefix + id, action, state, matched, done, failed, skipped, errors, reason, createdAt, finishedAt
  }
}

/** The response to a dry run, of items that were counted up to one more than a bulk action may have. */
export function toDryRun (count: number): BulkDryRun {
  return count > MAX_BULK_ITEMS ? { matched: MAX_BULK_ITEMS, matchedIsCapped: true } : { matched: count }
}

/**
 * What selects the items of a request.
 * @throws INVALID_INPUT without a filter or ids, and with both
 */
export function filterOrIds<Filter, Id> (
  { filter, ids }: { filter?: Filter, ids?: Id[] }
): { filter: Filter } | { ids: Id[] } {
  if (filter !== undefined && ids === undefined) return { filter }
  if (ids !== undefined && filter === undefined) return { ids }
  throw invalidInput([{ path: 'body', message: 'must have either filter or ids' }])
}

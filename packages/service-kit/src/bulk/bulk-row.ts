import type { Bulk, BulkActionName, BulkError, BulkStateName } from '@tidings/contracts'

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

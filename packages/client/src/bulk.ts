import { createPause } from './abort.ts'
import type { RequestOptions, Routes } from './routes.ts'
import type { Bulk, NewBulk, StartedBulk } from './types.ts'

export type BulkActions = ReturnType<typeof createBulk>

export interface WatchBulkOptions extends RequestOptions {
  /** Milliseconds between two requests; 1000 by default. */
  interval?: number | undefined
}

type OnceOptions = RequestOptions & { idempotencyKey?: string | undefined }
type Id = [bulkId: string]

export function createBulk ({ route }: Routes, closed: AbortSignal) {
  const get = route<Id, Bulk>('GET /bulk/:id')
  const count = route<[bulk: object], number>('POST /bulk body', 'matched')

  /** The bulk action as it advances, and its end last. */
  async function * watch (
    bulkId: string, { interval = 1000, signal }: WatchBulkOptions = {}
  ): AsyncGenerator<Bulk, void, undefined> {
    let shown = ''
    for (;;) {
      const bulk = await get(bulkId, { signal })
      const text = JSON.stringify(bulk)
      if (text !== shown) yield bulk
      shown = text
      if (bulk.state !== 'waiting' && bulk.state !== 'running') return
      await createPause(signal, closed).wait(interval) // get rejects once one of them has aborted
    }
  }

  /** Resolves with the bulk action at its end, whatever that is: `state` says whether it is finished. */
  async function wait (bulkId: string, options?: WatchBulkOptions): Promise<Bulk> {
    let last: Bulk | undefined
    for await (last of watch(bulkId, options));
    return last as Bulk
  }

  return {
    /** Retries or cancels jobs, or redelivers deliveries: all that match now, each once. */
    start: route<[bulk: Omit<NewBulk, 'dryRun'>], StartedBulk, OnceOptions>('POST /bulk body once'),
    /** How many items would match. */
    count: (bulk: NewBulk, options?: RequestOptions): Promise<number> => count({ ...bulk, dryRun: true }, options),
    get,
    /** The newest 100, newest first. */
    list: route<[], Bulk[]>('GET /bulk', 'bulks'),
    /** Items that were not begun stay as they are. */
    stop: route<Id, Bulk>('DELETE /bulk/:id'),
    watch,
    wait
  }
}

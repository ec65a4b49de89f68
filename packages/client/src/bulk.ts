import { createPause, createScope } from './abort.ts'
import { TidingsError } from './errors.ts'
import type { Http } from './http.ts'
import { createRoutes, type RequestOptions } from './routes.ts'
import type { Bulk, NewBulk, StartedBulk } from './types.ts'

export type BulkActions = ReturnType<typeof createBulk>

export interface WatchBulkOptions extends RequestOptions {
  /** Milliseconds between two requests; 1000 by default. */
  interval?: number | undefined
}

type OnceOptions = RequestOptions & { idempotencyKey?: string | undefined }
type Id = [bulkId: string]

const INTERVAL_MS = 1000

export function createBulk (http: Http) {
  const { route } = createRoutes(http)
  const get = route<Id, Bulk>('GET /bulk/:id')
  const count = route<[bulk: object], number>('POST /bulk body', 'matched')

  /** The bulk action as it advances, and its end last. */
  async function * watch (
    bulkId: string, { interval = INTERVAL_MS, signal }: WatchBulkOptions = {}
  ): AsyncGenerator<Bulk, void, undefined> {
    let shown = ''
    const scope = createScope([signal, http.closed])
    const pause = createPause(scope.signal)
    try {
      for (;;) {
        const bulk = await get(bulkId, { signal })
        const text = JSON.stringify(bulk)
        if (text !== shown) yield bulk
        shown = text
        if (isOver(bulk)) return
        await pause.wait(interval)
      }
    } finally {
      scope.dispose()
    }
  }

  /** Resolves with the bulk action at its end, whatever that is: `state` says whether it is finished. */
  async function wait (bulkId: string, options?: WatchBulkOptions): Promise<Bulk> {
    for await (const bulk of watch(bulkId, options)) if (isOver(bulk)) return bulk
    throw new TidingsError('closed', 'The watch was closed')
  }

  return {
    /** Retries or cancels jobs, or redelivers deliveries: all that match now, each once. */
    start: route<[bulk: Omit<NewBulk, 'dryRun'>], StartedBulk, OnceOptions>('POST /bulk body once'),
    /** How many items would match. */
    count: async (bulk: NewBulk, options?: RequestOptions): Promise<number> =>
      await count({ ...bulk, dryRun: true }, options),
    get,
    /** The newest 100, newest first. */
    list: route<[], Bulk[]>('GET /bulk', 'bulks'),
    /** Items that were not begun stay as they are. */
    stop: route<Id, Bulk>('DELETE /bulk/:id'),
    watch,
    wait
  }
}

function isOver ({ state }: Bulk): boolean {
  return state !== 'waiting' && state !== 'running'
}

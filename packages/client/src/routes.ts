import { TidingsError } from './errors.ts'
import { send, type Http } from './http.ts'

export interface RequestOptions { signal?: AbortSignal | undefined }

/** Read page by page with `for await`, or a page at a time. */
export interface Pages<Item, Page> extends AsyncIterable<Item> {
  /** The first page; with the query's own `cursor` or `page`, that one. */
  page: () => Promise<Page>
}

type Method<Args extends unknown[], Options, Result> = (...args: [...Args, options?: Options]) => Result
type Values = Record<string, unknown>
/** What of the options is not the query. */
type OwnOptions = RequestOptions & { idempotencyKey?: string | undefined }

export type Routes = ReturnType<typeof createRoutes>

/**
 * Makes methods of routes. A route is written as `POST /jobs/:id/retry`, and after that `body` where it takes one, and
 * `once` where it takes an idempotency key. The arguments of its method are the parameters of the path, then the body,
 * then options: a signal, and the query.
 */
export function createRoutes (http: Http) {
  /** Of the response the method returns the body, or that field of it. */
  function route<Args extends unknown[], Result, Options = RequestOptions> (
    text: string, field?: string
  ): Method<Args, Options, Promise<Result>> {
    const [method = '', path = ''] = text.split(' ')
    return async (...args: unknown[]) => {
      const url = path.replace(/:\w+/g, () => encodeURIComponent(args.shift() as string))
      const body = text.includes(' body') ? args.shift() : undefined
      const { signal, idempotencyKey, ...query } = (args[0] ?? {}) as Options & OwnOptions
      const { body: result } = await send(http, method, url, {
        query, body, signal, idempotencyKey: text.includes(' once') ? idempotencyKey ?? randomKey() : undefined
      })
      return (field ? (result as Values)[field] : result) as Result
    }
  }

  /** A list with items at `field`, which goes on at `pagination.next`. */
  function pages<Args extends unknown[], Item, Page, Options extends object> (
    path: string, field: keyof Page & string
  ): Method<Args, Options, Pages<Item, Page>> {
    const read = route<unknown[], Page & { pagination: { next: string | null } }, unknown>(`GET ${path}`)
    return (...args) => {
      const parameters = args.slice(0, path.split(':').length - 1)
      const query = (args[parameters.length] ?? {}) as Values
      return {
        page: () => read(...parameters, query),
        async * [Symbol.asyncIterator] () {
          const { page: _, ...filters } = query
          let at = query
          for (;;) {
            const page = await read(...parameters, at)
            yield * page[field] as Iterable<Item>
            const { next: cursor } = page.pagination
            if (cursor === null) return
            if (cursor === at.cursor) throw new TidingsError('unexpected_response', 'The cursor repeats')
            at = { ...filters, cursor }
          }
        }
      }
    }
  }

  return { route, pages }
}

/** 128 random bits: `crypto.randomUUID` is missing on pages without TLS. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-')

import { deferred } from './abort.ts'

/** What `for await` reads: `close`, `break` and `await using` end it, and the loop that reads it. */
export interface Feed<T> extends AsyncIterableIterator<T, undefined, undefined> {
  close: () => void
  return: () => Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncDispose]: () => Promise<void>
}

export interface FeedOptions<T> {
  /** What waits to be read; undefined where nothing does. */
  take: () => T | Promise<T> | undefined
  /** At the first reading. */
  start: () => void
  /** When it is left. */
  stop: () => void
}

export interface FeedControl {
  /** There may be something to read. */
  settle: () => void
  /** What waits is the last, and after it comes the error, if there is one. */
  end: (error?: unknown) => void
}

const DONE = { done: true, value: undefined } as const

export function createFeed<T> ({ take, start, stop }: FeedOptions<T>): { feed: Feed<T>, control: FeedControl } {
  const readers: ReturnType<typeof deferred<IteratorResult<T, undefined>>>[] = []
  let isOver = false
  let isClosed = false
  let error: unknown

  function settle () {
    while (readers.length > 0) {
      const value = isClosed ? undefined : take()
      if (value === undefined && !isOver) return
      const { resolve, reject } = readers.shift() as typeof readers[number]
      if (value instanceof Promise) resolve(value.then(value => ({ done: false, value })))
      else if (value !== undefined) resolve({ done: false, value })
      else if (error === undefined) resolve(DONE)
      else reject(error)
      if (value === undefined) error = undefined
    }
  }

  function end (err?: unknown) {
    if (isOver) return
    isOver = true
    error = err
    settle()
  }

  function close () {
    isClosed = isOver = true
    error = undefined
    stop()
    settle()
  }

  const feed: Omit<Feed<T>, typeof Symbol.asyncDispose> = {
    [Symbol.asyncIterator]: () => feed as Feed<T>,
    next: () => {
      const reader = deferred<IteratorResult<T, undefined>>()
      readers.push(reader)
      if (!isOver) start()
      settle()
      return reader.promise
    },
    close,
    return: async () => {
      close()
      return DONE
    }
  }
  return { feed: disposable(feed, close) as Feed<T>, control: { settle, end } }
}

/** For `await using`, where the runtime has it. */
export function disposable<T extends object> (object: T, dispose: () => void): T & AsyncDisposable {
  const { asyncDispose } = Symbol as { asyncDispose?: symbol }
  if (asyncDispose) Object.defineProperty(object, asyncDispose, { value: async () => dispose() })
  return object as T & AsyncDisposable
}

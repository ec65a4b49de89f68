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
  /** Begins, where nobody has read yet. */
  begin: () => void
  /** There may be something to read. */
  settle: () => void
  /** What waits is the last, and after it comes the error, if there is one. */
  end: (error?: unknown) => void
}

/** For `await using`; where the runtime does not have it, nothing looks for this one. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol('dispose')

const DONE = { done: true, value: undefined } as const

export function createFeed<T> ({ take, start, stop }: FeedOptions<T>): { feed: Feed<T>, control: FeedControl } {
  const readers: ReturnType<typeof deferred<IteratorResult<T, undefined>>>[] = []
  let hasBegun = false
  let isOver = false
  let isClosed = false
  let error: unknown

  function begin () {
    if (hasBegun || isOver) return
    hasBegun = true
    start()
  }

  function settle () {
    while (readers.length > 0) {
      const value = isClosed ? undefined : take()
      if (value === undefined && !isOver) return
      const { resolve, reject } = readers.shift() as typeof readers[number]
      if (value !== undefined) resolve(resultOf(value))
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

  const feed: Feed<T> = {
    [Symbol.asyncIterator]: () => feed,
    [asyncDispose]: async () => close(),
    next: () => {
      const reader = deferred<IteratorResult<T, undefined>>()
      readers.push(reader)
      begin()
      settle()
      return reader.promise
    },
    close,
    return: async () => {
      close()
      return DONE
    }
  }
  return { feed, control: { begin, settle, end } }
}

async function resultOf<T> (value: T | Promise<T>): Promise<IteratorYieldResult<T>> {
  return { done: false, value: await value }
}

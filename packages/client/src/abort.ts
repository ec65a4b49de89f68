/**
 * Calls the listener with the reason of a signal when one aborts, at once where one has. Returns what removes the
 * listener.
 */
export function onAbort (signals: (AbortSignal | undefined)[], listener: (reason: unknown) => void): () => void {
  const removers = signals.map(signal => {
    const act = () => listener(signal?.reason)
    if (signal?.aborted) act()
    else signal?.addEventListener('abort', act, { once: true })
    return () => signal?.removeEventListener('abort', act)
  })
  return () => { for (const remove of removers) remove() }
}

/** A promise, and what settles it. */
export function deferred<T = void> () {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (err: unknown) => void
  const promise = new Promise<T>((_resolve, _reject) => {
    resolve = _resolve
    reject = _reject
  })
  return { promise, resolve, reject }
}

export interface Scope {
  /** Aborts with the first of several signals, or once it is late. */
  signal: AbortSignal
  abort: (reason?: unknown) => void
  /** Lets its time begin once more. */
  restart: () => void
  /** Removes its listeners and its timer. */
  dispose: () => void
}

/** One signal of several. With a time, in milliseconds, it aborts after that too, for the reason `late`. */
export function createScope (signals: (AbortSignal | undefined)[], ms?: number, late?: unknown): Scope {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const restart = () => {
    clearTimeout(timer)
    if (ms !== undefined) timer = setTimeout(() => controller.abort(late), ms)
  }
  const abort = (reason: unknown) => controller.abort(reason)
  const remove = onAbort(signals, abort)
  restart()
  return {
    signal: controller.signal,
    abort,
    restart,
    dispose: () => {
      clearTimeout(timer)
      remove()
    }
  }
}

/** The promise, or a rejection with the reason of the signal where that aborts first. */
export function orAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: first, resolve, reject } = deferred<T>()
  const remove = onAbort([signal], reject)
  promise.then(resolve, reject)
  return first.finally(remove)
}

export interface Pause {
  /** Resolves after so many milliseconds (none: never), once woken, or when a signal aborts. One at a time. */
  wait: (ms?: number) => Promise<void>
  wake: () => void
}

export function createPause (...signals: (AbortSignal | undefined)[]): Pause {
  let wake: (reason?: unknown) => void = () => {}
  return {
    wake: () => wake(),
    wait: async ms => {
      const { promise, resolve } = deferred<unknown>()
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      const remove = onAbort(signals, wake = resolve)
      await promise
      clearTimeout(timer)
      remove()
    }
  }
}

/** A server may ask to be left alone for so long. */
export const MAX_ASKED_MS = 60_000

/** Exponential backoff with jitter: between half of it and all; but no less than the server asks for. */
export function backoffMs (failures: number, askedMs = 0, firstMs = 500, maxMs = 30_000): number {
  const ms = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 16)) * (0.5 + Math.random() / 2)
  return Math.max(ms, Math.min(askedMs, MAX_ASKED_MS))
}

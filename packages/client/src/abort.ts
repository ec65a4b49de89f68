/** Calls the listener when the signal aborts, at once where it has. Returns what removes it. */
export function onAbort (signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener()
  else signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
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
  abort: () => void
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
  const removers = signals.map(signal => onAbort(signal, () => controller.abort(signal?.reason)))
  restart()
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    restart,
    dispose: () => {
      clearTimeout(timer)
      for (const remove of removers) remove()
    }
  }
}

/** The promise, or a rejection with the reason of the signal where that aborts first. */
export async function orAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = deferred<never>()
  const remove = onAbort(signal, () => reject(signal.reason))
  try {
    return await Promise.race([promise, aborted])
  } finally {
    remove()
  }
}

export interface Pause {
  /** Resolves after so many milliseconds (none: never), once woken, or when the signal aborts. One at a time. */
  wait: (ms?: number) => Promise<void>
  wake: () => void
}

export function createPause (signal: AbortSignal): Pause {
  let wake = () => {}
  return {
    wake: () => wake(),
    wait: async ms => {
      const { promise, resolve } = deferred()
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      const remove = onAbort(signal, wake = resolve)
      await promise
      clearTimeout(timer)
      remove()
    }
  }
}

/** Exponential backoff with jitter: between half of it and all. */
export function backoffMs (failures: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures, 16)) * (0.5 + Math.random() / 2)
}

/** Calls the listener when the signal aborts, at once where it has. Returns what removes it. */
export function onAbort (signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {}
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** A signal that aborts with the first of several; `dispose` removes its listeners. Without a timer of its own. */
export function anySignal (...signals: (AbortSignal | undefined)[]): { signal: AbortSignal, dispose: () => void } {
  const controller = new AbortController()
  const removers = signals.map(signal => onAbort(signal, () => controller.abort(signal?.reason)))
  return { signal: controller.signal, dispose: () => { for (const remove of removers) remove() } }
}

/** Waits; rejects with the reason of the signal where that aborts first. */
export function sleep (ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>
  return orAborted(new Promise<void>(resolve => { timer = setTimeout(resolve, ms) }), signal)
    .finally(() => clearTimeout(timer))
}

/** The promise, or a rejection with the reason of the signal where that aborts first. */
export async function orAborted<T> (promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let remove = () => {}
  const aborted = new Promise<void>(resolve => { remove = onAbort(signal, resolve) })
    .then(() => { throw signal.reason })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    remove()
  }
}

/** Exponential backoff with jitter: between half of it and all. */
export function backoffMs (failures: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures, 16)) * (0.5 + Math.random() / 2)
}

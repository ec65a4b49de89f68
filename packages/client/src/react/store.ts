/** Runs until the signal aborts; `after` is the id of an event. */
type Run<State> = (set: (change: Partial<State>) => void, signal: AbortSignal, after?: string | null) => void

/** What useSyncExternalStore reads. It runs while it has subscribers, however many. */
export interface Store<State> {
  get: () => State
  /** As it was at first: what the server renders, and the browser before it takes over. */
  getInitial: () => State
  subscribe: (listener: () => void) => () => void
  /** Runs once more, where it runs. */
  restart: (after: string | null) => void
}

export function createStore<State extends object> (initial: State, run: Run<State>): Store<State> {
  let state = initial
  let running: AbortController | undefined
  const listeners = new Set<() => void>()

  function begin (after?: string | null) {
    const current = running = new AbortController()
    run(change => {
      if (current.signal.aborted) return
      state = { ...state, ...change }
      for (const listener of listeners) listener()
    }, current.signal, after)
  }

  return {
    get: () => state,
    getInitial: () => initial,
    subscribe: listener => {
      listeners.add(listener)
      if (!running) begin()
      return () => {
        listeners.delete(listener)
        // StrictMode, and React where it moves a component, subscribe again before any microtask.
        queueMicrotask(() => {
          if (listeners.size > 0) return
          running?.abort()
          running = undefined
        })
      }
    },
    restart: after => {
      if (!running) return
      running.abort()
      begin(after)
    }
  }
}

/** Nobody sees more than a change a frame. Timers of tabs in the background come once a second. */
export const nextFrame = (): Promise<void> => new Promise(resolve => { setTimeout(resolve, 16) })

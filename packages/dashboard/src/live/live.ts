import type { BulkProgress, Client, Gap, JobEvent, Status } from 'tidings'
import { TidingsError } from 'tidings'

export type LiveItem = JobEvent | Gap

export interface LiveStatus extends Status {
  /** How many events the last resumption brought that had happened while the page was away. */
  caughtUp: number
  /** What ended it for good. */
  error?: unknown
}

/** The one stream of events of this page, for all that is on it. */
export interface Live {
  readonly status: LiveStatus
  onStatus: (listener: () => void) => () => void
  /** Connects, once; with a reason it does not, and the status says why. */
  start: (reason?: string) => void
  /** Calls the listener for each event, and for gaps, after which what is shown has to be asked for again. */
  subscribe: (listener: (item: LiveItem) => void) => () => void
  /** Calls the listener as bulk actions advance. */
  onBulk: (listener: (progress: BulkProgress) => void) => () => void
  stop: () => void
}

export function createLive (client: Pick<Client, 'events'>): Live {
  const closing = new AbortController()
  const statusListeners = new Set<() => void>()
  const listeners = new Set<(item: LiveItem) => void>()
  const bulkListeners = new Set<(progress: BulkProgress) => void>()
  let status: LiveStatus = { state: 'idle', since: Date.now(), caughtUp: 0 }
  /** Since when the connection has been away. */
  let lostAt: number | undefined

  function set (next: LiveStatus) {
    status = next
    for (const listener of statusListeners) listener()
  }

  async function read () {
    const events = client.events({
      signal: closing.signal,
      onBulk: progress => { for (const listener of bulkListeners) listener(progress) },
      onStatus: next => {
        if (next.state === 'recovering') lostAt ??= next.since
        // What comes from now on with an earlier time is what was missed.
        const since = next.state === 'recovering' ? lostAt ?? next.since : next.since
        set({ ...next, since, caughtUp: next.state === 'live' ? 0 : status.caughtUp })
      }
    })
    for await (const item of events) {
      if (lostAt !== undefined && status.state === 'live') {
        const isMissed = item.type !== 'gap' && item.timestamp < status.since
        if (isMissed) set({ ...status, caughtUp: status.caughtUp + 1 })
        else lostAt = undefined
      }
      for (const listener of listeners) listener(item)
    }
  }

  let isStarted = false
  function start (reason?: string) {
    if (isStarted || closing.signal.aborted) return
    if (reason !== undefined) {
      set({ state: 'closed', reason, since: Date.now(), caughtUp: 0 })
      return
    }
    isStarted = true
    read().catch((error: unknown) => {
      if (closing.signal.aborted) return
      const reason = error instanceof TidingsError ? error.message : String(error)
      set({ state: 'closed', reason, since: Date.now(), caughtUp: 0, error })
    })
  }

  return {
    start,
    get status () { return status },
    onStatus: listener => {
      statusListeners.add(listener)
      return () => { statusListeners.delete(listener) }
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    onBulk: listener => {
      bulkListeners.add(listener)
      return () => { bulkListeners.delete(listener) }
    },
    stop: () => closing.abort()
  }
}

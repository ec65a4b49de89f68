import { EventEmitter, once } from 'node:events'
import { isNewer, newest, ZERO, type EventId } from '@tidings/job-events'

/** Waiters a process may have: each is a listener of the emitter. */
const NO_LIMIT = 0

type Patience = { timeoutMs: number, signal?: AbortSignal | undefined }

export type Watch = ReturnType<typeof createWatch>

/**
 * What this process knows of the projection: how far it has come, and which
 * jobs changed. It is told by `announce`, whichever replica projects.
 */
export function createWatch () {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(NO_LIMIT)
  let position = ZERO

  /** Told after a batch has been committed: rows up to `to` can be read now. */
  function announce (to: EventId, changed: Iterable<string>) {
    position = newest(position, to)
    emitter.emit('position')
    for (const key of changed) emitter.emit(`job ${key}`)
  }

  /** Told where it is known how far the rows are, but not which changed: all who wait look again. */
  function announceUnknown (to: EventId) {
    if (!isNewer(to, position)) return
    position = to
    // `once` listens for `error` beside what it waits for.
    for (const event of emitter.eventNames()) if (event !== 'error') emitter.emit(event)
  }

  /** Whether the rows stand at `id` or beyond, waiting for it if need be. */
  async function reached (id: EventId, { timeoutMs, signal }: Patience): Promise<boolean> {
    const until = Date.now() + timeoutMs
    while (isNewer(id, position)) {
      if (!await happens('position', { timeoutMs: until - Date.now(), signal })) return false
    }
    return true
  }

  /**
   * Whether the job changes within the time. A caller begins to wait before it
   * reads the row, so that no change falls between. It may wake for nothing.
   */
  async function changed (userId: string, jobId: string, { timeoutMs, signal }: Patience): Promise<boolean> {
    return await happens(`job ${changeKey(userId, jobId)}`, { timeoutMs, signal })
  }

  /** A timer of its own, gone with the wait: that of AbortSignal.timeout stays to its end, whoever came earlier. */
  async function happens (event: string, { timeoutMs, signal }: Patience): Promise<boolean> {
    const over = new AbortController()
    const timer = setTimeout(() => over.abort(), Math.max(0, timeoutMs))
    const patience = signal ? AbortSignal.any([over.signal, signal]) : over.signal
    try {
      await once(emitter, event, { signal: patience })
      return true
    } catch (err) {
      if (patience.aborted) return false
      throw err
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    announce,
    announceUnknown,
    reached,
    changed,
    get position () { return position }
  }
}

/**
 * A short key of a job (FNV-1a, 32 bits): those of a whole batch of 500 fit
 * into one notification. Two jobs with one key wake each other for nothing.
 */
export function changeKey (userId: string, jobId: string): string {
  let hash = 0x811c9dc5
  for (const char of `${userId}\n${jobId}`) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
  return (hash >>> 0).toString(36)
}

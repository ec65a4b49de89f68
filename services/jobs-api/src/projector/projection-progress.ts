import { EventEmitter, once } from 'node:events'
import { isNewer, newest, ZERO, type EventId } from '@tidings/job-events'

/** Each waiter is a listener of the emitter, and their number is not limited here. */
const NO_LIMIT = 0

type WaitOptions = { timeoutMs: number, signal?: AbortSignal | undefined }

export type ProjectionProgress = ReturnType<typeof createProjectionProgress>

/**
 * This process's knowledge of the projection: its position, and which jobs changed. `advance` is called on every
 * replica, whichever of them projects.
 */
export function createProjectionProgress () {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(NO_LIMIT)
  let position = ZERO

  /** Called after a batch was committed: rows up to `to` can be read now. */
  function advance (to: EventId, changedKeys: Iterable<string>) {
    position = newest(position, to)
    emitter.emit('position')
    for (const key of changedKeys) emitter.emit(`job ${key}`)
  }

  /** Called if the new position is known but not the changed jobs: wakes every waiter. */
  function advanceTo (to: EventId) {
    if (!isNewer(to, position)) return
    position = to
    // `once` adds a listener for `error` beside its own.
    for (const event of emitter.eventNames()) if (event !== 'error') emitter.emit(event)
  }

  /** Waits until the projection has reached `id`; false if it has not in time. */
  async function waitFor (id: EventId, { timeoutMs, signal }: WaitOptions): Promise<boolean> {
    const until = Date.now() + timeoutMs
    while (isNewer(id, position)) {
      if (!await emitted('position', { timeoutMs: until - Date.now(), signal })) return false
    }
    return true
  }

  /**
   * Waits until the job changes; false if it has not in time. A caller starts to wait before it reads the row, so that
   * no change is missed in between. It may be woken without a change.
   */
  async function waitForChange (userId: string, jobId: string, { timeoutMs, signal }: WaitOptions): Promise<boolean> {
    return await emitted(`job ${changeKey(userId, jobId)}`, { timeoutMs, signal })
  }

  /**
   * With a timer of its own, which ends with the wait: that of AbortSignal.timeout would stay until its time is over.
   */
  async function emitted (event: string, { timeoutMs, signal }: WaitOptions): Promise<boolean> {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), Math.max(0, timeoutMs))
    const either = signal ? AbortSignal.any([timeout.signal, signal]) : timeout.signal
    try {
      await once(emitter, event, { signal: either })
      return true
    } catch (err) {
      if (either.aborted) return false
      throw err
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    advance,
    advanceTo,
    waitFor,
    waitForChange,
    get position () { return position }
  }
}

/**
 * A short key of a job (FNV-1a, 32 bits): the keys of a batch of 500 fit into one notification. Two jobs with the same
 * key wake each other's waiters without a change.
 */
export function changeKey (userId: string, jobId: string): string {
  let hash = 0x811c9dc5
  for (const char of `${userId}\n${jobId}`) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
  return (hash >>> 0).toString(36)
}

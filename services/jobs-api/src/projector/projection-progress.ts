import { EventEmitter, once } from 'node:events'
import { isNewer, newest, ZERO, type EventId } from '@tidings/job-events'

/** Each waiter is a listener of the emitter, and their number is not limited here. */
const NO_LIMIT = 0

type WaitOptions = { timeoutMs: number, signal?: AbortSignal | undefined }

export type ProjectionProgress = ReturnType<typeof createProjectionProgress>

/**
 * This process's knowledge of the projection: its position, and which jobs changed. `advance` is called on every
 * replica, whichever of them projects.
 *
 * Postgres may come back with an earlier state (a standby that lagged, a backup). So nothing counts as reached from the
 * loss of the connection that reports the position until the position was read again.
 */
export function createProjectionProgress () {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(NO_LIMIT)
  const onBack = new Set<() => void>()
  let position = ZERO
  let highest = ZERO
  let isCertain = true
  let losses = 0

  /** Called after a batch was committed: rows up to `to` can be read now. */
  function advance (to: EventId, changedKeys: Iterable<string>) {
    position = newest(position, to)
    highest = newest(highest, to)
    emitter.emit('position')
    for (const key of changedKeys) emitter.emit(`job ${key}`)
  }

  /** Called if the new position is known but not the changed jobs: wakes every waiter. */
  function advanceTo (to: EventId) {
    if (!isNewer(to, position)) return
    position = to
    highest = newest(highest, to)
    wakeAll()
  }

  /** Called when the connection that reports the position is lost. */
  function lose () {
    isCertain = false
    losses++
  }

  /**
   * Called with the position as it was read on that connection. Returns true if Postgres has gone back: `before`, the
   * position from before the read, is above it.
   */
  function confirm (at: EventId, before: EventId): boolean {
    const isBack = isNewer(before, at)
    const wasCertain = isCertain
    isCertain = true
    if (isBack) {
      position = at
      losses++
      for (const listener of onBack) listener()
    } else advanceTo(at)
    if (!wasCertain) wakeAll()
    return isBack
  }

  function wakeAll () {
    // `once` adds a listener for `error` beside its own.
    for (const event of emitter.eventNames()) if (event !== 'error') emitter.emit(event)
  }

  /** Whether rows up to `id` can be read now. */
  function hasReached (id: EventId): boolean {
    return isCertain && !isNewer(id, position)
  }

  /** Waits until the projection has reached `id`; false if it has not in time. */
  async function waitFor (id: EventId, { timeoutMs, signal }: WaitOptions): Promise<boolean> {
    const until = Date.now() + timeoutMs
    while (!hasReached(id)) {
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
    lose,
    confirm,
    hasReached,
    waitFor,
    waitForChange,
    /** Calls back whenever Postgres has gone back; the returned function ends that. */
    watchBack: (listener: () => void) => {
      onBack.add(listener)
      return () => { onBack.delete(listener) }
    },
    /** Where the projection is, as far as is known; `hasReached` says what can be read. */
    get position () { return position },
    /** The highest position that there ever was, also in a Postgres that has lost it. */
    get highest () { return highest },
    /** Grows with each loss of the connection, and with each step back: what was read before may be outdated. */
    get losses () { return losses }
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

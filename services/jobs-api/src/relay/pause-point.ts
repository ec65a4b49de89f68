import { limitStep } from '@tidings/service-kit'

type Pause<At> = { isTime: (at: At) => boolean, serve: (at: At) => Promise<void>, refuse: (err: Error) => void }

/** The relay cannot be paused here: another replica took over, it is too far behind, or the service closes. */
class RelayNotRunning extends Error {
  constructor (why: string) {
    super(`The relay cannot be paused: ${why}`)
    this.name = 'RelayNotRunning'
  }
}

/** A longer wait means that the relay is far behind: the caller tries again later. */
const PAUSE_TIMEOUT_MS = 30_000

/**
 * Runs work of others between two steps of a loop, at a position that they choose and that does not move meanwhile.
 * Work that does not end in time is given up: its signal aborts before the position moves.
 */
export function createPausePoint<At> ({ workTimeoutMs }: { workTimeoutMs?: number | undefined } = {}) {
  const pending = new Set<Pause<At>>()
  let requested = Promise.withResolvers<void>()
  let isOpen = false

  /** Runs `work` at the first step for which `isTime` holds. @throws RelayNotRunning */
  function pauseWhen<T> (isTime: (at: At) => boolean, work: (at: At, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!isOpen) return Promise.reject(new RelayNotRunning('it is not running'))
    const result = Promise.withResolvers<T>()
    const timer = setTimeout(() => refuse(new RelayNotRunning('it is too far behind')), PAUSE_TIMEOUT_MS)
    const pause: Pause<At> = { isTime, serve, refuse }
    pending.add(pause)
    requested.resolve()
    return result.promise

    async function serve (at: At) {
      pending.delete(pause)
      clearTimeout(timer)
      const givingUp = new AbortController()
      try {
        result.resolve(await limitStep(work(at, givingUp.signal), workTimeoutMs))
      } catch (err) {
        givingUp.abort(err)
        result.reject(err)
      }
    }

    function refuse (err: Error) {
      pending.delete(pause)
      clearTimeout(timer)
      result.reject(err)
    }
  }

  /** The loop's own wait: serves pauses at `at` until `promise` settles. */
  async function serveUntil<V> (promise: Promise<V>, at: At): Promise<V> {
    const settled = promise.then(() => 'settled' as const, () => 'settled' as const)
    do {
      requested = Promise.withResolvers()
      for (const pause of [...pending]) if (pause.isTime(at)) await pause.serve(at)
    } while (await Promise.race([settled, requested.promise]) !== 'settled')
    return await promise
  }

  return {
    pauseWhen,
    serveUntil,
    open () { isOpen = true },
    close () {
      isOpen = false
      for (const { refuse } of [...pending]) refuse(new RelayNotRunning('it has ended'))
    }
  }
}

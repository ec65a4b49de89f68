type Request<At> = { isTime: (at: At) => boolean, serve: (at: At) => Promise<void>, refuse: (err: Error) => void }

/** Nobody stands still here now: another replica took over, or the service closes. */
export class NotStanding extends Error {
  constructor (why: string) {
    super(`The relay does not stand still: ${why}`)
    this.name = 'NotStanding'
  }
}

/** A longer wait means that the relay is far behind: whoever asked comes again later. */
const PATIENCE_MS = 30_000

/**
 * Lets others do something between two steps of a loop, at a position that
 * they choose and that does not move while they do.
 */
export function createStandstill<At> () {
  const requests = new Set<Request<At>>()
  let asked = Promise.withResolvers<void>()
  let isOpen = false

  /** Runs `work` at the first step for which `isTime` holds. @throws NotStanding */
  function request<T> (isTime: (at: At) => boolean, work: (at: At) => Promise<T>): Promise<T> {
    if (!isOpen) return Promise.reject(new NotStanding('it is not running'))
    const answer = Promise.withResolvers<T>()
    const timer = setTimeout(() => refuse(new NotStanding('it is too far behind')), PATIENCE_MS)
    const one: Request<At> = { isTime, serve, refuse }
    requests.add(one)
    asked.resolve()
    return answer.promise

    async function serve (at: At) {
      requests.delete(one)
      clearTimeout(timer)
      await work(at).then(answer.resolve, answer.reject)
    }

    function refuse (err: Error) {
      requests.delete(one)
      clearTimeout(timer)
      answer.reject(err)
    }
  }

  /** The loop's own wait: serves at `at` whoever asks, until `promise` settles. */
  async function serveUntil<V> (promise: Promise<V>, at: At): Promise<V> {
    const settled = promise.then(() => 'settled' as const, () => 'settled' as const)
    do {
      asked = Promise.withResolvers()
      for (const one of [...requests]) if (one.isTime(at)) await one.serve(at)
    } while (await Promise.race([settled, asked.promise]) !== 'settled')
    return await promise
  }

  return {
    request,
    serveUntil,
    open () { isOpen = true },
    close () {
      isOpen = false
      for (const { refuse } of [...requests]) refuse(new NotStanding('it has ended'))
    }
  }
}

import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { loadLua, pause, type Loops } from '@tidings/service-kit'

/** How long a holder whose connection is gone may take to come back over another one before its lease is released. */
const GONE_MS = 1000
/** For so long after Redis was away a lease is left to its former holder: connection attempts are up to 2 s apart. */
const FORMER_FIRST_MS = 3000
/** More than the three commands of a round take that all reach their timeouts. */
const ROUND_TIMEOUT_MS = 10_000
/** More than work takes to notice that its signal has aborted, whatever step it is in. */
const END_TIMEOUT_MS = 180_000

type LeaseOptions = {
  redis: Redis
  key: string
  ttlMs: number
  /** The work of the lease's holder; ends when the signal aborts. Must not throw. */
  work: (signal: AbortSignal) => Promise<void>
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
  endTimeoutMs?: number
}

type HeldLease = {
  readonly isHeld: boolean
  /** Ends the work, releases the lease, and leaves it to others for so long. */
  rest (ms: number): Promise<void>
  /** Ends the work and releases the lease. */
  stop (): Promise<void>
}

/**
 * Works while it holds a lease, and waits for it otherwise. A lease only keeps replicas from doing the same work twice:
 * a frozen holder continues for a moment beside its successor, and while Redis is away the holder continues.
 * Correctness comes from the compare-and-set of everything that the work writes.
 *
 * The lease contains its holder's connection id in Redis, so that a successor notices the end of a process and need not
 * wait until the lease expires. If Redis does not list connections (a proxy, a login without the right), it waits.
 *
 * A lease expires while Redis is away. Its former holder comes first then, because it remembers what Redis may have
 * lost.
 *
 * Work that does not end after its signal is not started again here: it has state in memory. The replica says so in
 * `/readyz`, and leaves the lease to others until it is restarted.
 */
export function holdLease (
  { redis: client, key, ttlMs, work, loops, log, endTimeoutMs = END_TIMEOUT_MS }: LeaseOptions
): HeldLease {
  const redis = withLeaseScripts(client)
  const holder = randomUUID()
  const stopping = new AbortController()
  let connected = new AbortController()
  let held: { losing: AbortController, working: Promise<void> } | undefined
  let restsUntil = -Infinity
  let awayAt = -Infinity
  let gone: { holder: string, since: number } | undefined
  const rounds = loops.watch(`lease ${key}`, ROUND_TIMEOUT_MS)
  const ends = loops.watch(`end of the work under lease ${key}`, endTimeoutMs)
  const finished = run()

  async function run () {
    const onReady = () => {
      if (awayAt > -Infinity) noteAway()
      connected.abort()
    }
    redis.on('ready', onReady).on('close', noteAway)
    while (!stopping.signal.aborted) {
      connected = new AbortController()
      await takeOrRenew()
      const pauseMs = Math.min(gone ? GONE_MS / 4 : ttlMs / 5, formersTurnMs() || Infinity)
      await pause(pauseMs, AbortSignal.any([stopping.signal, connected.signal]))
    }
    redis.off('ready', onReady).off('close', noteAway)
  }

  function noteAway () {
    awayAt = performance.now()
  }

  /** For how long the lease is still left to its former holder. */
  function formersTurnMs (): number {
    return held ? 0 : Math.max(0, awayAt + FORMER_FIRST_MS - performance.now())
  }

  async function takeOrRenew () {
    if (isResting() || formersTurnMs() > 0) return
    try {
      const other = await rounds.step(async () =>
        await redis.tidingsLease(key, holder, await ownConnection(), ttlMs))
      const isMine = other === ''
      if (stopping.signal.aborted || isResting()) return
      if (isMine && !held) startWork()
      else if (!isMine && held) await endWork()
      if (!isMine) await rounds.step(async () => await releaseIfGone(other))
    } catch (err) {
      if (redis.status === 'ready') noteAway()
      log.debug({ err, key }, 'lease: Redis did not answer')
    }
  }

  /** The id of this client's connection in Redis; an empty text if Redis does not return it. */
  async function ownConnection (): Promise<number | ''> {
    if (redis.isCluster) return '' // each node has ids of its own
    return await redis.client('ID').catch((err: Error) => {
      if (err.name !== 'ReplyError') throw err
      return ''
    })
  }

  /** Releases the lease of a holder that is gone for good; the next round finds it free. */
  async function releaseIfGone (other: string) {
    const connection = other.split(' ')[1]
    const isThere = !connection || await redis.client('LIST', 'ID', connection) !== ''
    if (isThere) gone = undefined
    else if (gone?.holder !== other) gone = { holder: other, since: performance.now() }
    else if (performance.now() - gone.since >= GONE_MS) {
      await redis.tidingsRelease(key, other)
      connected.abort()
    }
  }

  function startWork () {
    const losing = new AbortController()
    gone = undefined
    log.info({ key }, 'lease: taken')
    held = { losing, working: work(losing.signal) }
  }

  async function endWork () {
    if (!held) return
    log.info({ key }, 'lease: given up')
    held.losing.abort()
    const { working } = held
    await ends.step(async () => await working)
    held = undefined
  }

  function isResting () {
    return performance.now() < restsUntil
  }

  async function release () {
    await redis.tidingsRelease(key, holder).catch(err => log.debug({ err, key }, 'lease: not released, it will expire'))
  }

  return {
    get isHeld () { return held !== undefined },
    async rest (ms) {
      restsUntil = performance.now() + ms
      await endWork()
      await release()
    },
    async stop () {
      stopping.abort()
      await finished
      await endWork()
      await release()
    }
  }
}

type Commands = {
  tidingsLease (key: string, holder: string, connection: number | '', ttlMs: number): Promise<string>
  tidingsRelease (key: string, holder: string): Promise<0 | 1>
}

function withLeaseScripts (redis: Redis): Redis & Commands {
  const lua = (name: string) => loadLua(name, import.meta.url)
  if (!('tidingsLease' in redis)) {
    redis.defineCommand('tidingsLease', { numberOfKeys: 1, lua: lua('lease') })
    redis.defineCommand('tidingsRelease', { numberOfKeys: 1, lua: lua('release') })
  }
  return redis as Redis & Commands
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { withLeaseScripts } from './scripts.ts'

/** A holder whose connection is gone has so long to come back over another before it is succeeded. */
const GONE_MS = 1000

type LeaseOptions = {
  redis: Redis
  key: string
  ttlMs: number
  /** The work of whoever holds the lease; ends when the signal aborts. Must not throw. */
  work: (signal: AbortSignal) => Promise<void>
  log: FastifyBaseLogger
}

export type HeldLease = {
  readonly isHeld: boolean
  /** Ends the work, gives the lease back, and leaves it to others for so long. */
  rest (ms: number): Promise<void>
  /** Ends the work, gives the lease back. */
  stop (): Promise<void>
}

/**
 * Works while it holds a lease, waits for it otherwise. A lease only spares
 * replicas from doing the same work: one that was frozen goes on for a moment
 * beside its successor, and while Redis is away the holder goes on. What keeps
 * things right is the compare-and-set of whatever the work writes.
 *
 * With the lease stands the connection of its holder, as Redis numbers it: the
 * end of a process ends it, so that a successor need not wait for the lease's
 * end. Where Redis doesn't tell of connections (a proxy, a user without the
 * right to ask), it does wait.
 */
export function holdLease ({ redis: client, key, ttlMs, work, log }: LeaseOptions): HeldLease {
  const redis = withLeaseScripts(client)
  const holder = randomUUID()
  const stopping = new AbortController()
  let connected = new AbortController()
  let held: { losing: AbortController, working: Promise<void> } | undefined
  let restsUntil = -Infinity
  let gone: { holder: string, since: number } | undefined
  const finished = run()

  async function run () {
    const onReady = () => connected.abort()
    redis.on('ready', onReady)
    while (!stopping.signal.aborted) {
      connected = new AbortController()
      await turn()
      await sleep(gone ? GONE_MS / 4 : ttlMs / 5, undefined, { signal: AbortSignal.any([stopping.signal, connected.signal]) }).catch(() => {})
    }
    redis.off('ready', onReady)
  }

  async function turn () {
    if (isResting()) return
    try {
      const other = await redis.tidingsLease(key, holder, await ownConnection(), ttlMs)
      const isMine = other === ''
      if (stopping.signal.aborted || isResting()) return
      if (isMine && !held) begin()
      else if (!isMine && held) await lose()
      if (!isMine) await succeed(other)
    } catch (err) {
      log.debug({ err, key }, 'lease: Redis did not answer')
    }
  }

  /** As Redis numbers it; an empty text where it doesn't tell. */
  async function ownConnection (): Promise<number | ''> {
    if (redis.isCluster) return '' // each node numbers its own
    return await redis.client('ID').catch((err: Error) => {
      if (err.name !== 'ReplyError') throw err
      return ''
    })
  }

  /** Gives back the lease of one that is gone for good; the next turn finds it free. */
  async function succeed (other: string) {
    const connection = other.split(' ')[1]
    const isThere = !connection || await redis.client('LIST', 'ID', connection) !== ''
    if (isThere) gone = undefined
    else if (gone?.holder !== other) gone = { holder: other, since: performance.now() }
    else if (performance.now() - gone.since >= GONE_MS) {
      await redis.tidingsRelease(key, other)
      connected.abort()
    }
  }

  function begin () {
    const losing = new AbortController()
    gone = undefined
    log.info({ key }, 'lease: taken')
    held = { losing, working: work(losing.signal) }
  }

  async function lose () {
    if (!held) return
    log.info({ key }, 'lease: left')
    held.losing.abort()
    await held.working
    held = undefined
  }

  function isResting () {
    return performance.now() < restsUntil
  }

  async function giveBack () {
    await redis.tidingsRelease(key, holder).catch(err => log.debug({ err, key }, 'lease: not given back, it will end'))
  }

  return {
    get isHeld () { return held !== undefined },
    async rest (ms) {
      restsUntil = performance.now() + ms
      await lose()
      await giveBack()
    },
    async stop () {
      stopping.abort()
      await finished
      await lose()
      await giveBack()
    }
  }
}

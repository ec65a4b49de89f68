import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { withLeaseScripts } from './scripts.ts'

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
  /** Ends the work, gives the lease back. */
  stop (): Promise<void>
}

/**
 * Works while it holds a lease, waits for it otherwise. A lease only spares
 * replicas from doing the same work: one that was frozen goes on for a moment
 * beside its successor, and while Redis is away the holder goes on. What keeps
 * things right is the compare-and-set of whatever the work writes.
 */
export function holdLease ({ redis: client, key, ttlMs, work, log }: LeaseOptions): HeldLease {
  const redis = withLeaseScripts(client)
  const holder = randomUUID()
  const stopping = new AbortController()
  let connected = new AbortController()
  let held: { losing: AbortController, working: Promise<void> } | undefined
  const finished = run()

  async function run () {
    const onReady = () => connected.abort()
    redis.on('ready', onReady)
    while (!stopping.signal.aborted) {
      connected = new AbortController()
      await turn()
      await sleep(ttlMs / 5, undefined, { signal: AbortSignal.any([stopping.signal, connected.signal]) }).catch(() => {})
    }
    redis.off('ready', onReady)
  }

  async function turn () {
    try {
      const isMine = await redis.tidingsLease(key, holder, ttlMs) === 1
      if (stopping.signal.aborted) return
      if (isMine && !held) begin()
      else if (!isMine && held) await lose()
    } catch (err) {
      log.debug({ err, key }, 'lease: Redis did not answer')
    }
  }

  function begin () {
    const losing = new AbortController()
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

  return {
    get isHeld () { return held !== undefined },
    async stop () {
      stopping.abort()
      await finished
      await lose()
      await redis.tidingsRelease(key, holder).catch(err => log.debug({ err, key }, 'lease: not given back, it will end'))
    }
  }
}

import { readFileSync } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { unlessAborted } from './unless-aborted.ts'

const BLOCK_MS = 2000
/** A read that is this late has lost its socket without noticing (half open). */
const WATCHDOG_MS = BLOCK_MS + 5000

const SERVER_INFO = "return redis.call('INFO', 'server')"
const LUA = readFileSync(new URL('./read.lua', import.meta.url), 'utf8')

export type RawEntry = [id: string, fields: string[]]

/** A queue's BullMQ events as they stood at one moment. */
export type Look = {
  /** Those after the id that was asked for, oldest first. */
  entries: RawEntry[]
  /** Whether these are all. */
  isEnd: boolean
  /** How many entries were ever added; 0 where there is no stream. */
  added: number
  length: number
  /** BullMQ's newest id. */
  last: string
}

type ReadCommand = { tidingsReadQueue (key: string, after: string, count: number, bytes: number): Promise<[RawEntry[], number, number, string]> }

type ReaderOptions = { redis: Redis, key: string, count: number, bytes: number, log: FastifyBaseLogger }

export type QueueEventReader = ReturnType<typeof openReader>

/**
 * Reads a queue's BullMQ events, waiting for them where there are none, on a
 * connection of its own. Not BullMQ's QueueEvents: that keeps no position,
 * reads without a bound, and one malformed entry stops it for good.
 *
 * It lives as long as its connection: whoever reads opens another one, and
 * asks for the position anew.
 */
export function openReader ({ redis, key, count, bytes, log }: ReaderOptions) {
  const closing = new AbortController()
  const connection = redis.duplicate({
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    retryStrategy: () => null,
    commandTimeout: undefined as never // a blocked read has its watchdog
  }) as Redis & ReadCommand
  connection.on('close', () => closing.abort(new Error('The connection was lost')))
  connection.on('-node', () => closing.abort(new Error('A node of the Cluster was lost')))
  connection.on('error', err => log.debug({ err, key }, 'relay: connection lost'))
  connection.defineCommand('tidingsReadQueue', { numberOfKeys: 1, lua: LUA, readOnly: true })

  /** What comes after an id; `wait` holds the read until there is something, at most two seconds. */
  async function read (after: string, { wait }: { wait: boolean }): Promise<Look> {
    const watchdog = setTimeout(() => connection.disconnect(), WATCHDOG_MS)
    try {
      // Both leave in one write: the second runs as soon as the first has seen an entry.
      const [, [entries, added, length, last]] = await unlessAborted(Promise.all([
        wait ? connection.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', key, after) : undefined,
        connection.tidingsReadQueue(key, after, count, bytes)
      ]), closing.signal)
      return { entries, added, length, last, isEnd: entries.length === 0 || entries.at(-1)?.[0] === last }
    } finally {
      clearTimeout(watchdog)
    }
  }

  return {
    read,
    /** Redis' identity of this life of its process; another one may have lost something. */
    async runId (): Promise<string> {
      // Of a Cluster the node that has the queue, which a command without a key need not reach.
      const info = connection.isCluster ? connection.eval(SERVER_INFO, 1, key) : connection.info('server')
      return /run_id:(\w+)/.exec(String(await unlessAborted(info, closing.signal)))?.[1] ?? ''
    },
    /** Reads under way fail. */
    close: () => {
      closing.abort()
      connection.disconnect()
    }
  }
}

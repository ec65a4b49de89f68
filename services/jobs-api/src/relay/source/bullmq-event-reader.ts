import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { loadLua, untilAborted } from '@tidings/service-kit'

const BLOCK_MS = 2000
/** A read that takes longer has lost its socket without noticing (half open). */
const WATCHDOG_MS = BLOCK_MS + 5000

const SERVER_INFO = "return redis.call('INFO', 'server')"
const LUA = loadLua('read', import.meta.url)

export type RawEntry = [id: string, fields: string[]]

/** A page of a queue's BullMQ events, and the state of the stream at that moment. */
export type ReadPage = {
  /** The entries after the requested id, oldest first. */
  entries: RawEntry[]
  /** Whether no entry follows. */
  isEnd: boolean
  /** The number of entries ever added; 0 if there is no stream. */
  entriesAdded: number
  length: number
  /** BullMQ's newest id. */
  lastId: string
}

type ReadReply = [entries: RawEntry[], entriesAdded: number, length: number, lastId: string]
type ReadCommand = { tidingsReadQueue (key: string, after: string, count: number, bytes: number): Promise<ReadReply> }

type ReaderOptions = { redis: Redis, key: string, count: number, bytes: number, log: FastifyBaseLogger }

export type BullmqEventReader = ReturnType<typeof openEventReader>

/**
 * Reads a queue's BullMQ events, and waits for them if there are none, on a connection of its own. Not BullMQ's
 * QueueEvents: that keeps no position, reads without a bound, and one malformed entry stops it for good.
 *
 * A reader lives as long as its connection. The caller then opens another one and reads the position again.
 */
export function openEventReader ({ redis, key, count, bytes, log }: ReaderOptions) {
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

  /** Reads the entries after an id; with `wait` it blocks until there is one, for two seconds at most. */
  async function read (after: string, { wait }: { wait: boolean }): Promise<ReadPage> {
    const watchdog = setTimeout(giveUp, WATCHDOG_MS)
    try {
      // Both commands leave in one write: the second runs as soon as the first has found an entry.
      const [, [entries, entriesAdded, length, lastId]] = await untilAborted(Promise.all([
        wait ? connection.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', key, after) : undefined,
        connection.tidingsReadQueue(key, after, count, bytes)
      ]), closing.signal)
      const isEnd = entries.length === 0 || entries.at(-1)?.[0] === lastId
      return { entries, entriesAdded, length, lastId, isEnd }
    } finally {
      clearTimeout(watchdog)
    }
  }

  /** At once, and not with the `close` of the connection, which may never come. */
  function giveUp () {
    closing.abort(new Error('Redis did not answer a read in time'))
    connection.disconnect()
  }

  return {
    read,
    /** Whether the stream has an entry; false where it was trimmed, or lost. */
    has: async (id: string): Promise<boolean> =>
      (await untilAborted(connection.xrange(key, id, id), closing.signal)).length > 0,
    /** The run id of the Redis process; after a restart it differs, and events may have been lost. */
    async runId (): Promise<string> {
      // In a Cluster, of the node that has the queue: a command without a key need not reach it.
      const info = connection.isCluster ? connection.eval(SERVER_INFO, 1, key) : connection.info('server')
      return /run_id:(\w+)/.exec(String(await untilAborted(info, closing.signal)))?.[1] ?? ''
    },
    /** Pending reads fail. */
    close: () => {
      closing.abort()
      connection.disconnect()
    }
  }
}

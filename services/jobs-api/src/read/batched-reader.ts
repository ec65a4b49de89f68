import { unavailable, withTimeout } from '@tidings/service-kit'

/** Keys of one statement. */
const MAX_BATCH = 100
/** Statements at a time: while one runs, new reads wait and are sent together; a second one only for a crowd. */
const MAX_RUNNING = 2
const CROWD = 24

type BatchedReaderOptions<Key, Row> = {
  /** Reads many rows at once; a row has the index of its key, and is undefined if there is none. */
  readMany: (keys: Key[]) => Promise<(Row | undefined)[]>
  /** Whether an error concerns the whole statement (Postgres is away), so that single reads would fail too. */
  isShared: (err: unknown) => boolean
  /** A statement that takes longer fails, and with it every read that waits behind it. */
  timeoutMs: number
}

type Pending<Key, Row> = { key: Key, resolve: (row: Row | undefined) => void, reject: (err: unknown) => void }

/**
 * Sends the reads of one tick of the event loop, and those that arrive while a statement runs, as one statement: a
 * statement costs Node about 100 µs, for one row or for fifty. A single read is sent at once.
 *
 * Reads are sent in the order of arrival, at most 100 in a statement, so that none waits for a crowd; a key that makes
 * the statement fail fails alone. A statement that is not answered in time fails for all of its reads: it has one
 * timer, where a timer for each request would be a tenth of the cost of a read.
 */
export function batchedReader<Key, Row> ({ readMany, isShared, timeoutMs }: BatchedReaderOptions<Key, Row>) {
  const waiting: Pending<Key, Row>[] = []
  let running = 0
  let isScheduled = false

  return function read (key: Key): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      // setImmediate, not a microtask: then all sockets that became readable in this tick have been read.
      if (!isScheduled) setImmediate(flush)
      isScheduled = true
    })
  }

  function flush () {
    isScheduled = false
    while (waiting.length > 0 && canRun()) settle(waiting.splice(0, MAX_BATCH))
  }

  function canRun (): boolean {
    return running === 0 || (running < MAX_RUNNING && waiting.length >= CROWD)
  }

  function settle (batch: Pending<Key, Row>[]) {
    running++
    withTimeout(readMany(batch.map(({ key }) => key)), timeoutMs, () => undefined).then(
      rows => {
        if (rows) batch.forEach(({ resolve }, index) => resolve(rows[index]))
        else reject([...batch, ...waiting.splice(0)], unavailable('The database did not answer in time; try again'))
      },
      err => {
        if (batch.length === 1 || isShared(err)) reject(batch, err)
        else for (const one of batch) settle([one])
      }
    ).finally(() => {
      running--
      flush()
    })
  }
}

function reject (reads: Pick<Pending<unknown, never>, 'reject'>[], err: unknown) {
  for (const read of reads) read.reject(err)
}

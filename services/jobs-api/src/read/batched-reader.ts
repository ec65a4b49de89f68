/** Keys of one statement; more of one tick go out as further statements, on further connections. */
const MAX_BATCH = 100

type BatchedReaderOptions<Key, Row> = {
  /** Reads many at once; a row's place is its key's, undefined where there is none. */
  readMany: (keys: Key[]) => Promise<(Row | undefined)[]>
  /** Whether an error is of the whole statement (Postgres is away), so that asking one by one would not help. */
  isShared: (err: unknown) => boolean
}

type Waiting<Key, Row> = { key: Key, resolve: (row: Row | undefined) => void, reject: (err: unknown) => void }

/**
 * Sends the reads of one turn of the event loop as one statement: a statement
 * costs Node about 100 µs whether it asks for one row or for fifty.
 *
 * In order of arrival, at most 100 a statement, so that nobody waits for a
 * crowd; a key that makes the statement fail fails alone.
 */
export function batchedReader<Key, Row> ({ readMany, isShared }: BatchedReaderOptions<Key, Row>) {
  let waiting: Waiting<Key, Row>[] = []

  return function read (key: Key): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      // setImmediate, not a microtask: all sockets that became readable in this turn are in.
      if (waiting.push({ key, resolve, reject }) === 1) setImmediate(flush)
    })
  }

  function flush () {
    const all = waiting
    waiting = []
    for (let start = 0; start < all.length; start += MAX_BATCH) settle(all.slice(start, start + MAX_BATCH))
  }

  function settle (batch: Waiting<Key, Row>[]) {
    readMany(batch.map(({ key }) => key)).then(
      rows => batch.forEach(({ resolve }, index) => resolve(rows[index])),
      err => {
        if (batch.length === 1 || isShared(err)) for (const { reject } of batch) reject(err)
        else for (const one of batch) settle([one])
      }
    )
  }
}

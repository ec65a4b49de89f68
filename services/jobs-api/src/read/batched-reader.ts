import createError from '@fastify/error'

const NoAnswer = createError('UNAVAILABLE', 'What is asked for can\'t be read at this moment; try again', 503)

/** Keys of one statement. */
const MAX_BATCH = 100
/** Statements under way: while they are, what comes waits and goes out together; a second one only for a crowd. */
const MAX_UNDER_WAY = 2
const CROWD = 24

type BatchedReaderOptions<Key, Row> = {
  /** Reads many at once; a row's place is its key's, undefined where there is none. */
  readMany: (keys: Key[]) => Promise<(Row | undefined)[]>
  /** Whether an error is of the whole statement (Postgres is away), so that asking one by one would not help. */
  isShared: (err: unknown) => boolean
  /** After so long without an answer a statement is given up, and with it whoever waits behind it. */
  timeoutMs: number
}

type Waiting<Key, Row> = { key: Key, resolve: (row: Row | undefined) => void, reject: (err: unknown) => void }

/**
 * Sends the reads of one turn of the event loop, and those that came while
 * others were under way, as one statement: a statement costs Node about 100 µs
 * whether it asks for one row or for fifty. A lone read goes out at once.
 *
 * In order of arrival, at most 100 a statement, so that nobody waits for a
 * crowd; a key that makes the statement fail fails alone. A statement that is
 * not answered in time fails for all: one timer for it, where one for each
 * request would be a tenth of what a read costs.
 */
export function batchedReader<Key, Row> ({ readMany, isShared, timeoutMs }: BatchedReaderOptions<Key, Row>) {
  const waiting: Waiting<Key, Row>[] = []
  let underWay = 0
  let isScheduled = false

  return function read (key: Key): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      // setImmediate, not a microtask: all sockets that became readable in this turn are in.
      if (!isScheduled) setImmediate(flush)
      isScheduled = true
    })
  }

  function flush () {
    isScheduled = false
    while (waiting.length > 0 && (underWay === 0 || (underWay < MAX_UNDER_WAY && waiting.length >= CROWD))) settle(waiting.splice(0, MAX_BATCH))
  }

  function settle (batch: Waiting<Key, Row>[]) {
    underWay++
    inTime(readMany(batch.map(({ key }) => key))).then(
      rows => batch.forEach(({ resolve }, index) => resolve(rows[index])),
      err => {
        if (err instanceof NoAnswer) reject([...batch, ...waiting.splice(0)], err)
        else if (batch.length === 1 || isShared(err)) reject(batch, err)
        else for (const one of batch) settle([one])
      }
    ).finally(() => {
      underWay--
      flush()
    })
  }

  async function inTime<Answer> (answer: Promise<Answer>): Promise<Answer> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new NoAnswer()), timeoutMs)
    try {
      return await Promise.race([answer, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

function reject (reads: Pick<Waiting<unknown, never>, 'reject'>[], err: unknown) {
  for (const read of reads) read.reject(err)
}

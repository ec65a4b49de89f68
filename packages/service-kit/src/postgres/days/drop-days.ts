import type { RawSql } from '../client.ts'
import { nameOf, partitionsOf, type DayPartition, type DayTable } from './day-table.ts'
import { leaveToOthers, LOCK_TIMEOUT, tryLocks } from './try-locks.ts'

type DropOptions = {
  /** Partitions whose whole range lies below this value of the key are dropped. */
  before: number
  signal?: AbortSignal
  /** Called before a partition is dropped; false: it must stay for now, and so must those after it. */
  prepare?: (partition: DayPartition) => Promise<boolean>
}

/**
 * Drops whole partitions, oldest first, and returns the names of those dropped. The locks on the table and the
 * partition are held for the few milliseconds of the drop (the files are removed after that), and no writer waits for
 * them to be free; a partition that stays locked is left to the next run.
 *
 * Not `detach … concurrently`: Postgres refuses it where there is a default partition.
 */
export async function dropDays (
  sql: RawSql, table: DayTable, { before, signal, prepare = async () => true }: DropOptions
): Promise<string[]> {
  const { ranges, rest = [] } = await partitionsOf(sql, table)
  const dropped: string[] = []
  for (const partition of ranges.filter(({ to }) => to <= before)) {
    if (signal?.aborted || !await prepare(partition)) break
    // The constraint of the default partition changes, too.
    const locked = [nameOf(table), partition.name, rest].flat().map(name => `only ${name}`).join(', ')
    const isDropped = await tryLocks(async mode => {
      // One message is one transaction: nothing on the way to this process prolongs the locks.
      await sql.unsafe(
        `${LOCK_TIMEOUT}; lock table ${locked} in access exclusive mode ${mode}; drop table ${partition.name}`)
      return true
    }, signal).catch(leaveToOthers)
    if (isDropped !== true) break
    dropped.push(partition.name)
  }
  return dropped
}

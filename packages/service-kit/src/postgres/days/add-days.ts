import type { RawSql } from '../client.ts'
import { DAY_MS, dayOf, nameOf, partitionsOf, type DayTable, type Tx } from './day-table.ts'
import { LOCK_TIMEOUT, tryLocks } from './try-locks.ts'

/** Days that get their partition before they begin: as long may every replica be down, or fail to add one. */
const DAYS_AHEAD = 7
/** Rows of the default partition that are moved into a new day: some 100 ms, during which that day is not written. */
const MAX_MOVED = 10_000

/** A day without a partition of its own: its rows in the default partition are too many to be moved, or in use. */
export type MissingDay = { table: string, day: string }

/**
 * Adds the missing partitions of a table from today up to seven days ahead. Rows of such a day that went to the default
 * partition meanwhile are moved. Replicas take turns. Returns the days that could not be added.
 *
 * `attach` instead of `create … partition of`: it waits for no writer of the table, and none waits for it. The default
 * partition is locked while its rows are looked through: it is empty, or nearly so.
 */
export async function addDays (sql: RawSql, table: DayTable, now = Date.now()): Promise<MissingDay[]> {
  const today = dayOf(now)
  const missing: MissingDay[] = []
  for (let day = today; day <= today + DAYS_AHEAD; day++) {
    if (await isCovered(sql, table, day)) continue
    const isAdded = await tryLocks(async mode =>
      await sql.begin(async tx => await addDay(tx, table, { day, today, mode })))
    if (isAdded !== true) missing.push({ table: nameOf(table), day: dateOf(day) })
  }
  return missing
}

/** The number of days from tomorrow on that have a partition, without a break. */
export async function daysAhead (sql: RawSql, table: DayTable, now = Date.now()): Promise<number> {
  const { ranges } = await partitionsOf(sql, table)
  const tomorrow = dayOf(now) + 1
  let day = tomorrow
  while (ranges.some(({ from, to }) => from <= day * table.perDay && to >= (day + 1) * table.perDay)) day++
  return day - tomorrow
}

async function isCovered (sql: Tx, table: DayTable, day: number): Promise<boolean> {
  const { ranges } = await partitionsOf(sql, table)
  return ranges.some(({ from, to }) => from < (day + 1) * table.perDay && to > day * table.perDay)
}

type Addition = { day: number, today: number, mode: string }

async function addDay (tx: Tx, table: DayTable, { day, today, mode }: Addition): Promise<boolean> {
  const parent = nameOf(table)
  const [from, to] = [day * table.perDay, (day + 1) * table.perDay]
  await tx.unsafe(LOCK_TIMEOUT)
  await tx`select pg_advisory_xact_lock(hashtext(${`tidings:days:${parent}`}))`
  if (await isCovered(tx, table, day)) return true // another replica was faster
  // A writer that has chosen the default partition for its row would find it refused, so none may write such a day now.
  const strength = day <= today ? 'share row exclusive' : 'share update exclusive'
  await tx.unsafe(`lock table only ${parent} in ${strength} mode ${mode}`)
  const { rest } = await partitionsOf(tx, table)
  if (rest !== undefined) await tx.unsafe(`lock table ${rest} in access exclusive mode ${mode}`)
  const strays = `from ${rest} where ${table.key} >= ${from} and ${table.key} < ${to}`
  const found = rest === undefined ? 0 : (await tx.unsafe(`select ${strays} limit ${MAX_MOVED + 1}`)).length
  if (found > MAX_MOVED) return false
  const name = `${parent}_${dateOf(day).replaceAll('-', '')}`
  await tx.unsafe(`create table ${name} (like ${parent} including all)`)
  if (found > 0) {
    await tx.unsafe(`with moved as (delete ${strays} returning *) insert into ${name} select * from moved`)
  }
  await tx.unsafe(`alter table ${parent} attach partition ${name} for values from (${from}) to (${to})`)
  return true
}

/** `2026-11-28`. */
function dateOf (day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

import type { TransactionSql } from 'postgres'
import type { RawSql } from '../client.ts'

export const DAY_MS = 86_400_000

/** A table that is partitioned by ranges of one column, a partition per UTC day, with a default partition. */
export type DayTable = {
  schema: string
  table: string
  /** The column of the ranges: milliseconds since 1970, or a number that grows with the day in another way. */
  key: string
  /** How far the key grows in a day; the values of day n (days since 1970) start at `n * perDay`. */
  perDay: number
}

/** A partition with its range, lower bound included; ±Infinity for an open end. */
export type DayPartition = { name: string, from: number, to: number }

export type DayPartitions = { ranges: DayPartition[], rest: string | undefined }

export type Tx = RawSql | TransactionSql<{ bigint: number }>

/** Days since 1970, UTC. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)

export const nameOf = ({ schema, table }: DayTable): string => `${schema}.${table}`

/** The partitions of a table by range, oldest first, and the name of its default partition. Locks nothing. */
export async function partitionsOf (sql: Tx, table: DayTable): Promise<DayPartitions> {
  const rows = await sql<{ name: string, bound: string | null }[]>`
    select format('%I.%I', n.nspname, c.relname) as name, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
    where i.inhparent = ${nameOf(table)}::regclass`
  const ranges = rows.flatMap(({ name, bound }) => {
    const [, from, to] = RANGE.exec(bound ?? '') ?? []
    return from === undefined || to === undefined ? [] : [{ name, from: numberOf(from), to: numberOf(to) }]
  })
  return {
    ranges: ranges.toSorted((a, b) => a.from - b.from),
    rest: rows.find(({ bound }) => bound === 'DEFAULT')?.name
  }
}

/** The names of the partitions that are no day: that from before there were days, and the default partition. */
export async function undatedPartsOf (sql: Tx, table: DayTable): Promise<string[]> {
  const { ranges, rest = [] } = await partitionsOf(sql, table)
  return ranges.filter(({ from, to }) => to - from !== table.perDay).map(({ name }) => name).concat(rest)
}

const RANGE = /^FOR VALUES FROM \('?(-?\d+|MINVALUE)'?\) TO \('?(-?\d+|MAXVALUE)'?\)$/

function numberOf (bound: string): number {
  if (bound === 'MINVALUE') return -Infinity
  return bound === 'MAXVALUE' ? Infinity : Number(bound)
}

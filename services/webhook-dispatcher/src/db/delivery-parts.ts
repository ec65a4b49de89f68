import { DAY_MS } from '@tidings/service-kit'
import type { Sql } from './sql.ts'

/** The part of today: new deliveries, and all that are pending. */
export const CURRENT_PART = 'webhooks.deliveries'
/** The empty part that is to take its place. */
export const NEXT_PART = 'webhooks.deliveries_next'

/** The part with the deliveries of up to the day of this time, and of the hours until it was closed. */
export function partOf (ms: number): string {
  return `${CURRENT_PART}_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`
}

/** The last part that can have been closed by now. */
export const lastPart = (now: number): string => partOf(now - DAY_MS)

/** The parts that were closed, the oldest first. */
export async function closedParts (sql: Sql): Promise<string[]> {
  const rows = await sql.unsafe<{ name: string }[]>(`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
    where i.inhparent = 'webhooks.all_deliveries'::regclass order by c.relname`)
  return rows.map(({ name }) => name).filter(name => name !== CURRENT_PART && name !== NEXT_PART)
}

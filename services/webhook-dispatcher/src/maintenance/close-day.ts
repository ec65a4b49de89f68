import type { TransactionSql } from 'postgres'
import { DAY_MS, dayOf, leaveToOthers, LOCK_TIMEOUT, tryLocks, type RawSql } from '@tidings/service-kit'
import { closedParts, CURRENT_PART, lastPart, NEXT_PART } from '../db/delivery-parts.ts'
import { firstDeliveryId } from '../db/day-tables.ts'

/** Pending deliveries that are moved into the next part: some 0.2 s, during which no delivery is written. */
const MAX_PENDING = 10_000
/** Replicas take turns: none finds the parts as they were and then a next part that another has just used. */
const TURN = "select pg_advisory_xact_lock(hashtext('tidings:days:webhooks.deliveries'))"

type Tx = RawSql | TransactionSql<{ bigint: number }>

/**
 * - `none`: the current part has no deliveries of former days, or another replica was faster.
 * - `waits`: for fewer pending deliveries, or for the end of a dispatcher that reads one part only.
 * - `locked`: the table was in use each time that it was tried.
 */
type Closing = 'closed' | 'none' | 'waits' | 'locked'

/**
 * Closes the part of the days before today: the table is renamed, and an empty one takes its place, into which its
 * pending deliveries are moved. So one statement finds all that are pending in one table, whose name never changes, and
 * a part is dropped whole once it is too old. Where it has to wait, the part grows by the next day.
 */
export async function closeDay (sql: RawSql, now = Date.now()): Promise<Closing> {
  const name = lastPart(now)
  if (!await isDue(sql, name, now)) return 'none'
  if (await mustWait(sql)) return 'waits'
  // Known to readers before rows move: a statement that has found the parts and waits for them misses none of them.
  const prepared = await tryLocks(async mode => await sql.begin(async tx => {
    await tx.unsafe(`${LOCK_TIMEOUT}; ${TURN}`)
    if (await isClosed(tx, name)) return false
    await prepareNext(tx, mode)
    return true
  }))
  if (prepared === undefined) return 'locked'
  if (!prepared) return 'none'
  const statements = await replacement(sql, name)
  const closed = await tryLocks(async mode => {
    // One message is one transaction: nothing on the way to this process prolongs the locks.
    await sql.unsafe(`${LOCK_TIMEOUT}; ${TURN}; lock table ${CURRENT_PART}, ${NEXT_PART} in access exclusive mode ${mode}; ${statements}`)
    return true
  }).catch(leaveToOthers) // there is no next part any more
  if (closed === undefined) return 'locked'
  return closed ? 'closed' : 'none'
}

/** Whether the current part has deliveries of before today, and none was closed today. */
async function isDue (sql: RawSql, name: string, now: number): Promise<boolean> {
  const [row] = await sql<{ id: number }[]>`select id from webhooks.deliveries order by id limit 1`
  if (row === undefined || row.id >= firstDeliveryId(dayOf(now) * DAY_MS)) return false
  return !await isClosed(sql, name)
}

async function isClosed (sql: Tx, name: string): Promise<boolean> {
  return (await closedParts(sql)).some(part => part >= name)
}

async function mustWait (sql: RawSql): Promise<boolean> {
  const [row] = await sql<{ waits: boolean }[]>`
    select count(*) > ${MAX_PENDING} or exists (select from webhooks.workers where lease_until > now() and not reads_parts) as waits from (
      select from webhooks.deliveries where state = 'pending' order by webhook_id, due_at limit ${MAX_PENDING + 1}) pending`
  return row?.waits ?? true
}

/** Creates the next part like the current one: with its defaults, its constraints, its settings and its indexes. */
async function prepareNext (tx: Tx, mode: string): Promise<void> {
  const [left] = await tx`select from pg_class where oid = to_regclass(${NEXT_PART})`
  if (left) {
    await tx.unsafe(`lock table ${NEXT_PART} in access exclusive mode ${mode}; drop table ${NEXT_PART}`)
  }
  const [settings] = await tx<{ options: string | null }[]>`
    select array_to_string(reloptions, ', ') as options from pg_class where oid = ${CURRENT_PART}::regclass`
  await tx.unsafe(`
    create table ${NEXT_PART} (like ${CURRENT_PART} including all excluding indexes)
    ${settings?.options ? `with (${settings.options})` : ''}`)
  for (const { name, definition, isPrimary } of await indexesOf(tx)) {
    const next = `${name}_next`
    await tx.unsafe(definition.replace(` ${name} ON ${CURRENT_PART} `, ` ${next} ON ${NEXT_PART} `))
    if (isPrimary) await tx.unsafe(`alter table ${NEXT_PART} add primary key using index ${next}`)
  }
  await tx.unsafe(`alter table ${NEXT_PART} inherit webhooks.all_deliveries`)
}

/**
 * The statements that make the next part the current one, with the names of its indexes, which later migrations may
 * name.
 */
async function replacement (sql: Tx, name: string): Promise<string> {
  const [schema, closed] = name.split('.') as [string, string]
  const day = closed.slice(closed.lastIndexOf('_'))
  const renames = (await indexesOf(sql)).map(index => `
    alter index ${schema}.${index.name} rename to ${index.name}${day};
    alter index ${schema}.${index.name}_next rename to ${index.name};`)
  return `
    ${renames.join('')}
    alter table ${CURRENT_PART} rename to ${closed};
    alter table ${NEXT_PART} rename to deliveries;
    set local enable_seqscan = off;
    with pending as materialized (select id from ${name} where state = 'pending' order by webhook_id, due_at),
    moved as (delete from ${name} where id = any(array(select id from pending)) returning *)
    insert into ${CURRENT_PART} select * from moved`
}

type Index = { name: string, definition: string, isPrimary: boolean }

async function indexesOf (tx: Tx): Promise<Index[]> {
  return await tx<Index[]>`
    select c.relname as name, pg_get_indexdef(c.oid) as definition, i.indisprimary as "isPrimary"
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${CURRENT_PART}::regclass and i.indisvalid`
}

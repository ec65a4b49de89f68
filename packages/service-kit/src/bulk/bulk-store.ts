import createError from '@fastify/error'
import type { TransactionSql } from 'postgres'
import { MAX_BULK_ITEMS, type BulkActionName, type BulkError } from '@tidings/contracts'
import { textArray, numberArray } from '../array-literals.ts'
import type { RawSql } from '../postgres/client.ts'
import { replaceNul } from '../replace-nul.ts'
import type { BulkRow } from './bulk-row.ts'

/** Bulk actions of a user that may wait behind the one that runs. */
const MAX_WAITING = 10
const MAX_LISTED = 100
/** Items whose failure is described. */
const MAX_ERRORS = 20
const MAX_REASON = 500

const BulkNotFound = createError('BULK_NOT_FOUND', 'No bulk action %s', 404)
const TooManyBulks = createError('TOO_MANY_BULKS',
  `One bulk action at a time runs, and ${MAX_WAITING} wait already: wait for one to finish, or stop one`, 429)
const TooManyItems = createError('TOO_MANY_ITEMS',
  `More than ${MAX_BULK_ITEMS} items match: narrow the filter, for instance by from and to`, 422)
const KeyReused = createError('IDEMPOTENCY_KEY_REUSED',
  'This Idempotency-Key was used with another request within the last 24 hours', 409)

export type BulkTx = TransactionSql<{ bigint: number }>

export type BulkRequest = {
  id: string
  userId: string
  action: BulkActionName
  repeatable?: { key: string, bodyHash: string } | undefined
  /** Writes the items of the bulk action: at most 100,000 and one more, which refuses it. Returns how many. */
  insertItems: (tx: BulkTx, bulk: number) => Promise<number>
}

/** What became of an item, by its place. */
export type ItemOutcome =
  | { place: number, outcome: 'done' }
  | { place: number, outcome: 'failed' | 'skipped', id: string, reason: string }

export type BulkStore = ReturnType<typeof createBulkStore>

/** The bulk actions in the tables `bulks` and `bulk_items` of a service's schema. */
export function createBulkStore (sql: RawSql, schema: 'jobs' | 'webhooks') {
  const bulks = sql.unsafe(`${schema}.bulks`)
  const items = sql.unsafe(`${schema}.bulk_items`)

  /**
   * Records a bulk action with its items: all or nothing. Requests of a user are recorded one after the other.
   * @throws TOO_MANY_BULKS, TOO_MANY_ITEMS, IDEMPOTENCY_KEY_REUSED
   */
  async function create (request: BulkRequest): Promise<BulkRow> {
    const { id, userId, action, repeatable, insertItems } = request
    return await sql.begin(async tx => {
      await tx`select pg_advisory_xact_lock(hashtextextended(${`${schema}.bulks ${userId}`}, 0))`
      const first = repeatable && await findRepeated(tx, userId, repeatable)
      if (first) return first
      const [counted] = await tx<{ open: number }[]>`
        select count(*)::int as open from ${bulks} where user_id = ${userId} and not is_settled`
      if ((counted?.open ?? 0) > MAX_WAITING) throw Object.assign(new TooManyBulks(), { retryAfterS: 30 })
      const [created] = await tx<{ n: number }[]>`
        insert into ${bulks} (id, user_id, action, idempotency_key, body_hash)
        values (${id}::uuid, ${userId}, ${action}, ${repeatable?.key ?? null}, ${repeatable?.bodyHash ?? null}) returning n`
      const { n } = created as { n: number }
      const matched = await insertItems(tx, n)
      if (matched > MAX_BULK_ITEMS) throw new TooManyItems()
      const [row] = await tx<BulkRow[]>`
        update ${bulks} set matched = ${matched},
          state = case when ${matched === 0} then 'finished' else 'waiting' end,
          finished_at = case when ${matched === 0} then now() end,
          is_settled = ${matched === 0}
        where n = ${n} returning *`
      return row as BulkRow
    })
  }

  /** The bulk action of the first request with a key; a key is forgotten after a day. */
  async function findRepeated (
    tx: BulkTx, userId: string, { key, bodyHash }: { key: string, bodyHash: string }
  ): Promise<BulkRow | undefined> {
    await tx`
      update ${bulks} set idempotency_key = null
      where user_id = ${userId} and idempotency_key = ${key} and created_at < now() - interval '24 hours'`
    const [first] = await tx<(BulkRow & { body_hash: string })[]>`
      select * from ${bulks} where user_id = ${userId} and idempotency_key = ${key}`
    if (first && first.body_hash !== bodyHash) throw new KeyReused()
    return first
  }

  /** @throws BULK_NOT_FOUND */
  async function find (userId: string, id: string): Promise<BulkRow> {
    const [row] = await sql<BulkRow[]>`select * from ${bulks} where id = ${id}::uuid and user_id = ${userId}`
    if (!row) throw new BulkNotFound(id)
    return row
  }

  /** The newest of a user, newest first. */
  async function list (userId: string): Promise<BulkRow[]> {
    return await sql<BulkRow[]>`
      select * from ${bulks} where user_id = ${userId} order by n desc limit ${MAX_LISTED}`
  }

  /**
   * Stops a bulk action: items that were not begun stay as they are. Does nothing where it has ended.
   * @throws BULK_NOT_FOUND
   */
  async function stop (userId: string, id: string): Promise<BulkRow> {
    const { n } = await find(userId, id)
    return await end(n, 'stopped') ?? await find(userId, id)
  }

  async function end (
    n: number, state: 'finished' | 'stopped' | 'failed', reason: string | null = null
  ): Promise<BulkRow | undefined> {
    const [row] = await sql<BulkRow[]>`
      update ${bulks} set state = ${state}, reason = ${reason}, finished_at = now()
      where n = ${n} and state in ('waiting', 'running') returning *`
    return row
  }

  /** The oldest bulk action of each user that needs work. */
  async function open (limit: number): Promise<BulkRow[]> {
    return await sql<BulkRow[]>`
      select distinct on (user_id) * from ${bulks} where not is_settled order by user_id, n limit ${limit}`
  }

  async function markRunning (n: number): Promise<void> {
    await sql`update ${bulks} set state = 'running' where n = ${n} and state = 'waiting'`
  }

  /** Deletes the items that are left; no more work is needed. */
  async function settle (n: number): Promise<void> {
    await sql`with gone as (delete from ${items} where bulk = ${n}) update ${bulks} set is_settled = true where n = ${n}`
  }

  /**
   * Counts the outcomes of items and deletes these, in one statement: an item that another replica has counted is not
   * counted again. Undefined where the bulk action is gone.
   */
  async function record (n: number, outcomes: ItemOutcome[], tx: RawSql | BulkTx = sql): Promise<BulkRow | undefined> {
    const described = outcomes.map(({ place, outcome, ...error }) => ({
      place, outcome, error: outcome === 'done' ? null : JSON.stringify(errorOf({ outcome, ...error as ErrorFields }))
    }))
    const [row] = await tx<BulkRow[]>`
      with gone as (
        delete from ${items} where bulk = ${n} and place = any(${numberArray(outcomes.map(({ place }) => place))}::int[])
        returning place
      ), outcomes as (
        select outcome, error::json as error from unnest(
          ${numberArray(described.map(({ place }) => place))}::int[], ${textArray(described.map(({ outcome }) => outcome))}::text[],
          ${textArray(described.map(({ error }) => error))}::text[]
        ) as o (place, outcome, error) join gone using (place) order by place
      )
      update ${bulks} set
        done = done + (select count(*) from outcomes where outcome = 'done'),
        failed = failed + (select count(*) from outcomes where outcome = 'failed'),
        skipped = skipped + (select count(*) from outcomes where outcome = 'skipped'),
        errors = (select coalesce(json_agg(error), '[]') from (
          select error from json_array_elements(errors) as error
          union all (select error from outcomes where error is not null)
          limit ${MAX_ERRORS}) as all_errors)
      where n = ${n} returning *`
    return row
  }

  /** Deletes bulk actions that ended so many days ago, and everything of a user. */
  async function removeOld (days: number): Promise<number> {
    const { count } = await sql`
      delete from ${bulks} where n in (
        select n from ${bulks} where is_settled and finished_at < now() - make_interval(days => ${days}) order by n limit 1000)`
    return count
  }

  async function erase (userId: string): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      with erased as (delete from ${bulks} where user_id = ${userId} returning n),
      gone as (delete from ${items} using erased where bulk = erased.n)
      select count(*)::int as count from erased`
    return row?.count ?? 0
  }

  return { create, find, list, stop, end, open, markRunning, settle, record, removeOld, erase }
}

type ErrorFields = { id: string, reason: string }

function errorOf ({ outcome, id, reason }: ErrorFields & { outcome: 'failed' | 'skipped' }): BulkError {
  return { id, outcome, reason: replaceNul(reason.slice(0, MAX_REASON)).toWellFormed() }
}

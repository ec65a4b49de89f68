import createError from '@fastify/error'
import { and, desc, eq, isNull, lt, sql, type InferSelectModel } from 'drizzle-orm'
import type { ListReplaysQuery, Replay, ReplayConditions, ReplayList, ReplayMatches } from '@tidings/contracts'
import { compareEventIds, isNewer, newest, type EventId } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { Database } from '../db/sql.ts'
import { events, replays } from '../db/schema.ts'
import { findWebhook, lockWebhook } from '../webhooks/find-webhook.ts'
import { WebhookNotActive, type WebhookKey } from '../webhooks/webhook-row.ts'
import type { ReplayRange } from './replay-range.ts'
import { countSelected } from './replay-selection.ts'

const ReplayRunning = createError('REPLAY_RUNNING', 'Replay %d of this webhook is still running', 409)
export const ReplayNotFound = createError('REPLAY_NOT_FOUND', 'No replay %s', 404)

const DEFAULT_LIMIT = 20

export type ReplayRow = InferSelectModel<typeof replays>
/** A webhook's replay by its id. */
export type ReplayKey = { webhookId: number, id: number }

type Request = { range: ReplayRange, conditions: ReplayConditions }

/**
 * Records that the events of a range, at most those up to the newest one now, are to be delivered again;
 * run-replays.ts does so page by page, across restarts.
 * @throws WebhookNotFound, WebhookNotActive, ReplayRunning
 */
export async function requestReplay (
  db: Database, key: WebhookKey, { range, conditions }: Request
): Promise<Replay> {
  return await db.transaction(async tx => {
    const { id: webhookId, status } = await lockWebhook(tx, key)
    if (status === 'disabled') throw new WebhookNotActive(status)
    const [running] = await tx.select().from(replays)
      .where(and(eq(replays.webhookId, webhookId), isNull(replays.finishedAt)))
    if (running) throw new ReplayRunning(running.id)
    const { at } = range
    const until = await endOf(tx, key.userId, range)
    const isEmpty = compareEventIds(at, until) === 0
    const [inserted] = await tx.insert(replays)
      .values({
        webhookId,
        atMs: at.ms,
        atSeq: at.seq,
        untilMs: until.ms,
        untilSeq: until.seq,
        conditions,
        ...(isEmpty && { finishedAt: sql`now()` })
      })
      .returning()
    return toReplay(inserted as ReplayRow)
  })
}

/**
 * Counts the deliveries that the replay would create.
 * @throws WebhookNotFound, WebhookNotActive
 */
export async function previewReplay (
  { db, sql }: { db: Database, sql: RawSql }, key: WebhookKey, { range, conditions }: Request
): Promise<ReplayMatches> {
  const webhook = await findWebhook(db, key)
  if (webhook.status === 'disabled') throw new WebhookNotActive(webhook.status)
  const until = await endOf(db, key.userId, range)
  const { matched, isCapped } = await countSelected(sql, { webhook, conditions, at: range.at, until })
  return { matched, ...(isCapped && { matchedIsCapped: true }) }
}

/** @throws ReplayNotFound */
export async function findReplay (db: Database, { webhookId, id }: ReplayKey): Promise<ReplayRow> {
  const [row] = await db.select().from(replays).where(and(eq(replays.id, id), eq(replays.webhookId, webhookId)))
  if (!row) throw new ReplayNotFound(id)
  return row
}

/** A page of a webhook's replays, newest first. */
export async function listReplays (
  db: Database, webhookId: number, { limit = DEFAULT_LIMIT, cursor }: ListReplaysQuery
): Promise<ReplayList> {
  const rows = await db.select().from(replays)
    .where(and(eq(replays.webhookId, webhookId), cursor === undefined ? undefined : lt(replays.id, Number(cursor))))
    .orderBy(desc(replays.id))
    .limit(limit + 1)
  const shown = rows.slice(0, limit)
  const next = rows.length > limit ? String(shown.at(-1)?.id) : null
  return { replays: shown.map(toReplay), pagination: { limit, next } }
}

/** Later events than the newest are delivered anyway. */
async function endOf (db: Database, userId: string, { at, until }: ReplayRange): Promise<EventId> {
  const last = newest(at, await newestPublished(db, userId))
  return until && isNewer(last, until) ? until : last
}

/** The user's newest event that a webhook may receive. */
async function newestPublished (db: Database, userId: string): Promise<EventId> {
  const [row] = await db.select({ ms: events.eventMs, seq: events.eventSeq }).from(events)
    .where(eq(events.userId, userId))
    .orderBy(sql`${events.eventMs} desc, ${events.eventSeq} desc`)
    .limit(1)
  return row ?? { ms: 0, seq: 0 }
}

export function toReplay (row: ReplayRow): Replay {
  const { id, webhookId, conditions, deliveries, createdAt, finishedAt, stoppedAt } = row
  return {
    id,
    webhookId,
    status: stoppedAt ? 'stopped' : finishedAt ? 'finished' : 'running',
    conditions: conditions ?? {},
    deliveries,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null
  }
}

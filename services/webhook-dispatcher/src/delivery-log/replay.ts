import createError from '@fastify/error'
import { and, eq, isNull, sql, type InferSelectModel } from 'drizzle-orm'
import type { Replay } from '@tidings/contracts'
import { compareEventIds, justBelow, newest, parseEventId, type EventId } from '@tidings/job-events'
import { invalidInput } from '@tidings/service-kit'
import type { Database } from '../db/sql.ts'
import { events, replays } from '../db/schema.ts'
import { lockWebhook } from '../webhooks/find-webhook.ts'
import { WebhookNotActive, type WebhookKey } from '../webhooks/webhook-row.ts'

const ReplayRunning = createError('REPLAY_RUNNING', 'Replay %d of this webhook is still running', 409)
const ReplayNotFound = createError('REPLAY_NOT_FOUND', 'No replay %s', 404)

type ReplayRow = InferSelectModel<typeof replays>

/**
 * The position just before the first event of a replay: a time includes its
 * first event, an event id is the last one left out.
 * @throws INVALID_INPUT where it lies in the future, or before the retention
 */
export function replayStart (since: string, retentionMs: number, now = Date.now()): EventId {
  const at = parseEventId(since) ?? justBelow({ ms: Date.parse(since), seq: 0 })
  if (at.ms > now) throw invalidInput([{ path: 'body.since', message: 'must not lie in the future' }])
  const days = Math.floor(retentionMs / 86_400_000)
  if (at.ms < now - retentionMs - 1) {
    throw invalidInput([{ path: 'body.since', message: `must be at most ${days} days ago` }])
  }
  return at
}

/**
 * Records that every event after a position, up to the newest one now, is to be
 * delivered again; run-replays.ts does so page by page, across restarts.
 * @throws WebhookNotFound, WebhookNotActive, ReplayRunning
 */
export async function requestReplay (db: Database, key: WebhookKey, at: EventId): Promise<Replay> {
  return await db.transaction(async tx => {
    const { id: webhookId, status } = await lockWebhook(tx, key)
    if (status === 'disabled') throw new WebhookNotActive(status)
    const [running] = await tx.select().from(replays)
      .where(and(eq(replays.webhookId, webhookId), isNull(replays.finishedAt)))
    if (running) throw new ReplayRunning(running.id)
    const until = newest(at, await newestPublished(tx, key.userId))
    const isEmpty = compareEventIds(at, until) === 0
    const [inserted] = await tx.insert(replays)
      .values({
        webhookId,
        atMs: at.ms,
        atSeq: at.seq,
        untilMs: until.ms,
        untilSeq: until.seq,
        ...(isEmpty && { finishedAt: sql`now()` })
      })
      .returning()
    return toReplay(inserted as ReplayRow)
  })
}

/** @throws ReplayNotFound */
export async function findReplay (db: Database, webhookId: number, id: number): Promise<Replay> {
  const [row] = await db.select().from(replays).where(and(eq(replays.id, id), eq(replays.webhookId, webhookId)))
  if (!row) throw new ReplayNotFound(id)
  return toReplay(row)
}

/** The user's newest event that a webhook may receive; later ones are delivered anyway. */
async function newestPublished (tx: Database, userId: string): Promise<EventId> {
  const [row] = await tx.select({ ms: events.eventMs, seq: events.eventSeq }).from(events)
    .where(eq(events.userId, userId))
    .orderBy(sql`${events.eventMs} desc, ${events.eventSeq} desc`)
    .limit(1)
  return row ?? { ms: 0, seq: 0 }
}

function toReplay ({ id, webhookId, deliveries, createdAt, finishedAt }: ReplayRow): Replay {
  return {
    id,
    webhookId,
    status: finishedAt ? 'finished' : 'running',
    deliveries,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null
  }
}

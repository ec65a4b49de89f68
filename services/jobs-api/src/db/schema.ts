import { sql } from 'drizzle-orm'
import {
  bigint, boolean, integer, json, pgSchema, primaryKey, smallint, text, timestamp, type PgColumnBuilderBase
} from 'drizzle-orm/pg-core'

// The tables as migrations/ makes them; indexes are written there only.
export const jobsSchema = pgSchema('jobs')

const int8 = (name: string) => bigint(name, { mode: 'number' })

const identity = {
  queue: text('queue').notNull(),
  id: text('id').notNull(),
  /** BullMQ's stream id of the job's `added`; 0-0 for jobs submitted here, whose ids never come again. */
  generationMs: int8('generation_ms').notNull().default(0),
  generationSeq: int8('generation_seq').notNull().default(0)
} satisfies Record<string, PgColumnBuilderBase>

export const jobs = jobsSchema.table('jobs', {
  n: int8('n').primaryKey().generatedAlwaysAsIdentity(),
  ...identity,
  userId: text('user_id').notNull(),
  name: text('name').notNull(),
  /** The place in contracts' JOB_STATES; below FIRST_FINAL_STATE the job is open. */
  state: smallint('state').notNull().default(0),
  progress: json('progress'),
  /** The progress was too large for an event: it stands in `results`, or nowhere when above 1 MiB. */
  progressTruncated: boolean('progress_truncated').notNull().default(false),
  result: json('result'),
  /** The same of the result, or of the error. */
  resultTruncated: boolean('result_truncated').notNull().default(false),
  failedReason: text('failed_reason'),
  createdMs: int8('created_ms').notNull(),
  startedMs: int8('started_ms'),
  finishedMs: int8('finished_ms'),
  attemptsMade: integer('attempts_made').notNull().default(0),
  attemptsMax: integer('attempts_max').notNull().default(1),
  /** The last event folded into the row; null before the first. */
  eventMs: int8('event_ms'),
  eventSeq: int8('event_seq'),
  /** Submitted here, not added to BullMQ by another producer. */
  ours: boolean('ours').notNull().default(false),
  /** What `queue.add` gets: with `options` the outbox. Null once the job is completed. */
  data: json('data'),
  options: json('options'),
  enqueuedAt: timestamp('enqueued_at', { withTimezone: true }),
  webhookUrl: text('webhook_url'),
  cancelRequestedAt: timestamp('cancel_requested_at', { withTimezone: true }),
  /**
   * Of adopted jobs: where BullMQ has room for one pending job only (`repeat:<scheduler>`, `de:<deduplication id>`).
   */
  slot: text('slot'),
  /** When the row was last compared with BullMQ. */
  lookedMs: int8('looked_ms').notNull().default(sql`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`)
})

export const positions = jobsSchema.table('positions', {
  follower: text('follower').primaryKey(),
  eventMs: int8('event_ms').notNull(),
  eventSeq: int8('event_seq').notNull()
})

export const counts = jobsSchema.table('counts', {
  userId: text('user_id').notNull(),
  state: smallint('state').notNull(),
  count: int8('count').notNull()
}, table => [primaryKey({ columns: [table.userId, table.state] })])

export const timeline = jobsSchema.table('timeline', {
  /** `n` of the job. */
  job: int8('job').notNull(),
  eventMs: int8('event_ms').notNull(),
  eventSeq: int8('event_seq').notNull(),
  type: text('type').notNull(),
  timestamp: int8('timestamp').notNull(),
  error: text('error'),
  errorTruncated: boolean('error_truncated').notNull().default(false)
}, table => [primaryKey({ columns: [table.job, table.eventMs, table.eventSeq] })])

export const replaced = jobsSchema.table('replaced', {
  userId: text('user_id').notNull(),
  queue: text('queue').notNull(),
  id: text('id').notNull(),
  /** The id of the job that took its place. */
  replacedBy: text('replaced_by').notNull(),
  replacedAt: timestamp('replaced_at', { withTimezone: true }).notNull()
}, table => [primaryKey({ columns: [table.userId, table.id, table.queue] })])

export const badItems = jobsSchema.table('bad_items', {
  consumer: text('consumer').notNull(),
  queue: text('queue').notNull(),
  /** The id of BullMQ's entry, of the job event, or of the row. */
  item: text('item').notNull(),
  jobId: text('job_id'),
  reason: text('reason').notNull(),
  times: integer('times').notNull().default(1),
  firstAt: timestamp('first_at', { withTimezone: true }).notNull().defaultNow(),
  lastAt: timestamp('last_at', { withTimezone: true }).notNull().defaultNow()
}, table => [primaryKey({ columns: [table.consumer, table.queue, table.item] })])

export const results = jobsSchema.table('results', {
  ...identity,
  progress: json('progress'),
  result: json('result'),
  error: text('error'),
  /** Of `error` only the first 1 MiB is kept. */
  errorTruncated: boolean('error_truncated').notNull().default(false),
  storedAt: timestamp('stored_at', { withTimezone: true }).notNull().defaultNow()
}, table => [primaryKey({ columns: [table.queue, table.id, table.generationMs, table.generationSeq] })])

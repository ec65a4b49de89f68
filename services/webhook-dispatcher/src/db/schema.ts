import { bigint, integer, jsonb, pgSchema, smallint, text, timestamp } from 'drizzle-orm/pg-core'
import {
  DELIVERY_STATUSES, type AttemptErrorClass, type DeliveredEventType, type ReplayConditions, type WebhookFilter
} from '@tidings/contracts'

/** The service's own Postgres schema. The migrations are the truth; this is what drizzle's queries know of them. */
const webhooksSchema = pgSchema('webhooks')

const number = (name: string) => bigint(name, { mode: 'number' })
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const webhooks = webhooksSchema.table('webhooks', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  userId: text('user_id').notNull(),
  kind: text('kind', { enum: ['own', 'legacy', 'job'] }).notNull().default('own'),
  url: text('url').notNull(),
  eventType: text('event_type', { enum: ['progress', 'completed', 'failed', 'all'] }).notNull(),
  /** Beside event type `all` only: some of the types. */
  eventTypes: text('event_types').array().$type<DeliveredEventType[]>(),
  /** Null: events of all jobs. */
  filter: jsonb('filter').$type<WebhookFilter>(),
  description: text('description'),
  status: text('status', { enum: ['active', 'paused', 'disabled'] }).notNull().default('active'),
  disabledReason: text('disabled_reason'),
  /** Names of the webhook's own headers, with masks for their values. */
  headers: jsonb('headers').$type<Record<string, string>>().notNull().default({}),
  /** Those headers, encrypted; null where there are none. */
  sealedHeaders: text('sealed_headers'),
  progressMode: text('progress_mode', { enum: ['all', 'latest'] }).notNull().default('all'),
  /** It receives the events after this event id. */
  sinceMs: number('since_ms').notNull(),
  sinceSeq: number('since_seq').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
  /** Deleted: its pending deliveries are closed, then the row is removed. */
  deletedAt: moment('deleted_at'),
  /** The endpoint's health, written by delivery. Reactivating a webhook resets all three. */
  failingSince: moment('failing_since'),
  failures: integer('failures').notNull().default(0),
  openUntil: moment('open_until'),
  /** When to look for deliveries that failed for good and may be due again. */
  recoverAt: moment('recover_at')
})

/** Without a webhook: the user's legacy secret, which signs for kinds legacy and job. */
export const secrets = webhooksSchema.table('secrets', {
  id: number('id').primaryKey().generatedAlwaysAsIdentity(),
  userId: text('user_id').notNull(),
  webhookId: integer('webhook_id').references(() => webhooks.id, { onDelete: 'cascade' }),
  ciphertext: text('ciphertext').notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
  expiresAt: moment('expires_at')
})

/** Events that at least one webhook of their user received; `body` is the payload as it is sent. */
export const events = webhooksSchema.table('events', {
  eventMs: number('event_ms').notNull(),
  eventSeq: number('event_seq').notNull(),
  userId: text('user_id').notNull(),
  type: text('type', { enum: ['progress', 'completed', 'failed'] }).notNull(),
  /** `<queue>:<job id>` */
  orderingKey: text('chain').notNull(),
  body: text('body').notNull()
})

/** Built for each table. */
const deliveryColumns = () => ({
  id: number('id').primaryKey().generatedAlwaysAsIdentity(),
  webhookId: integer('webhook_id').notNull(),
  eventMs: number('event_ms').notNull(),
  eventSeq: number('event_seq').notNull(),
  origin: text('origin', { enum: ['event', 'redeliver', 'replay', 'test'] }).notNull().default('event'),
  originId: number('origin_id'),
  type: text('type').notNull(),
  orderingKey: text('chain'),
  state: text('state', { enum: DELIVERY_STATUSES }).notNull(),
  attempts: smallint('attempts').notNull().default(0),
  dueAt: moment('due_at').notNull().defaultNow(),
  /** The id of the worker that holds it. */
  workerId: number('claim'),
  status: smallint('status'),
  errorClass: text('error_class').$type<AttemptErrorClass>(),
  reason: text('reason'),
  createdAt: moment('created_at').notNull().defaultNow(),
  finishedAt: moment('finished_at'),
  /** The job's own webhookUrl, where the webhook is the hidden one of its origin. */
  url: text('url'),
  /** Since when a completion or failure has failed for good; null once it was redelivered or replayed. */
  lostAt: moment('lost_at'),
  /** How often it was due again because its endpoint answered again. */
  recoveries: smallint('recoveries').notNull().default(0),
  /** For tests only, which have no event (event_ms and event_seq are 0): the webhook-id and the body. */
  messageId: text('message_id'),
  body: text('body')
})

/**
 * The delivery of one event to one webhook. A redelivery is a row of its own
 * (origin redeliver, origin_id the original's id, no ordering key, due at once).
 * This is the part of today: new deliveries, and all that are pending.
 */
export const deliveries = webhooksSchema.table('deliveries', deliveryColumns())

/** The deliveries of all days: to read, and to change those that have finished. */
export const allDeliveries = webhooksSchema.table('all_deliveries', deliveryColumns())

export const attempts = webhooksSchema.table('attempts', {
  deliveryId: number('delivery_id').notNull(),
  n: smallint('n').notNull(),
  startedAt: moment('started_at').notNull(),
  dnsMs: integer('dns_ms'),
  connectMs: integer('connect_ms'),
  ttfbMs: integer('ttfb_ms'),
  totalMs: integer('total_ms').notNull(),
  status: smallint('status'),
  errorClass: text('error_class').$type<AttemptErrorClass>(),
  message: text('message'),
  responseHeaders: jsonb('response_headers').$type<Record<string, string>>(),
  responseBody: text('response_body')
})

/**
 * `at` starts just before `since` and moves with each page of deliveries; `until` is the requested end, at most the
 * newest event at the request.
 */
export const replays = webhooksSchema.table('replay_requests', {
  id: number('id').primaryKey().generatedAlwaysAsIdentity(),
  webhookId: integer('webhook_id').notNull(),
  atMs: number('at_ms').notNull(),
  atSeq: number('at_seq').notNull(),
  untilMs: number('until_ms').notNull(),
  untilSeq: number('until_seq').notNull(),
  /** What was requested; null for one of the release before. */
  conditions: jsonb('conditions').$type<ReplayConditions>(),
  deliveries: integer('deliveries').notNull().default(0),
  /** The first of them. */
  firstDeliveryId: number('first_delivery_id'),
  createdAt: moment('created_at').notNull().defaultNow(),
  finishedAt: moment('finished_at'),
  /** When its owner stopped it. */
  stoppedAt: moment('stopped_at')
})

import { jsonText, type JobEvent } from '@tidings/contracts'
import { createStreamWriter, START, ZERO, type RelayPosition } from '@tidings/job-events'
import { createDatabase, startRedis, TEST_SECRET, type TestContext, type TestRedis } from '@tidings/testing'
import type { Sql } from 'postgres'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { createSecretBox } from '../src/secrets/secret-box.ts'

export const SECRET_KEY = 'a key for tests that is long enough for all'
/** The signing secret of all webhooks of a test. */
export const SIGNING_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='

const QUEUE = 'default'

export type Settings = Record<string, string>
export type Stores = { url: string, sql: Sql, redis: TestRedis, env: Settings }
export type NewWebhook = { url: string, userId?: string, eventType?: string, progressMode?: string, status?: string }
/** Progress and result are values here. */
export type NewEvent = Omit<Partial<JobEvent>, 'progress' | 'result'> & Pick<JobEvent, 'type' | 'jobId'> & {
  progress?: unknown, result?: unknown
}

/** Postgres and Redis of the test's own, and the environment of a dispatcher on them. */
export async function startStores (t: TestContext): Promise<Stores> {
  const [{ url, sql }, redis] = await Promise.all([createDatabase(t), startRedis(t)])
  return { url, sql, redis, env: environment(url, redis) }
}

/** Of a dispatcher on these stores. */
export function environment (url: string, redis: TestRedis): Settings {
  return {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    TOKEN_SECRET: TEST_SECRET,
    WEBHOOK_SECRET_KEY: SECRET_KEY,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_DISPATCHER_PORT: '0',
    LOG_LEVEL: 'error'
  }
}

/** A dispatcher in this process, ready. */
export async function startApp (t: TestContext, { env }: Stores, settings: Settings = {}) {
  const app = buildApp(loadConfig({ ...env, ...settings }))
  t.teardown(() => app.close())
  await app.ready()
  return app
}

/** Both, with what tests do to them. */
export async function setup (t: TestContext, settings: Settings = {}) {
  const stores = await startStores(t)
  const app = await startApp(t, stores, settings)
  return { ...stores, app, append: appender(stores.redis), createWebhook: webhookCreator(stores.sql) }
}

/** Appends events of the default queue as a relay would. */
export function appender (server: TestRedis) {
  const stream = createStreamWriter(server.client())
  let from: RelayPosition = START
  return async function append (events: NewEvent[]): Promise<void> {
    const to = { at: `${from.read + events.length}-0`, read: from.read + events.length, lost: 0 }
    const outcome = await stream.append({ queue: QUEUE, from, to, minimumId: ZERO, events: events.map(eventOf) })
    // Sent again after a lost answer, it was appended the first time.
    if (!outcome.moved && outcome.position.read !== to.read) throw new Error('somebody else appends')
    from = to
  }
}

/** The whole event. */
export function eventOf ({ progress, result, ...event }: NewEvent): JobEvent {
  return {
    v: 1,
    queue: QUEUE,
    name: 'report',
    userId: '1',
    timestamp: Date.now(),
    ...event,
    ...(progress !== undefined && { progress: jsonText(progress) }),
    ...(result !== undefined && { result: jsonText(result) })
  }
}

/** Writes webhooks as the routes would, with a known secret. */
export function webhookCreator (sql: Sql) {
  const box = createSecretBox([SECRET_KEY])
  return async function createWebhook (
    { url, userId = '1', eventType = 'all', progressMode = 'all', status = 'active' }: NewWebhook
  ): Promise<number> {
    const [row] = await sql<{ id: number }[]>`
      insert into webhooks.webhooks (user_id, url, event_type, progress_mode, status, since_ms, since_seq)
      values (${userId}, ${url}, ${eventType}, ${progressMode}, ${status}, 0, 0) returning id`
    const id = row?.id as number
    await sql`insert into webhooks.secrets (user_id, webhook_id, ciphertext) values (${userId}, ${id}, ${box.seal(SIGNING_SECRET)})`
    return id
  }
}

/** A job from its first progress to its end. */
export function jobOf (jobId: string, progress: number, { userId = '1' } = {}): NewEvent[] {
  return [
    ...Array.from({ length: progress }, (_, i): NewEvent => ({ type: 'progress', jobId, userId, progress: i + 1 })),
    { type: 'completed', jobId, userId, result: { rows: progress } }
  ]
}

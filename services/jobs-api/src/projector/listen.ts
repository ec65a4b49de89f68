import type { FastifyBaseLogger } from 'fastify'
import { parseEventId } from '@tidings/job-events'
import { createSql, pause } from '@tidings/service-kit'
import { readPosition } from '../db/projector-position.ts'
import { CHANNEL } from './announce-batch.ts'
import type { ProjectionProgress } from './projection-progress.ts'

/** How often the connection is checked and the position read: a pooler may swallow notifications. */
const CHECK_MS = 2000
const RETRY_MS = 500

type ListenOptions = { url: string, projection: ProjectionProgress, log: FastifyBaseLogger }

/**
 * Updates the progress from the notifications of the projecting replica, on a connection of its own, which is opened
 * again whenever it is lost.
 */
export function listen ({ url, projection, log }: ListenOptions) {
  const stopping = new AbortController()
  let lost = new AbortController()
  const sql = createSql(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onclose: () => lost.abort(),
    onnotify: (_channel: string, payload: string) => onNotification(payload)
  } as Parameters<typeof createSql>[1])
  const finished = run()

  async function run () {
    let hasFailed = false
    while (!stopping.signal.aborted) {
      try {
        lost = new AbortController()
        await sql`listen ${sql(CHANNEL)}`
        projection.advanceTo(await readPosition(sql))
        hasFailed = false
        await pause(CHECK_MS, AbortSignal.any([stopping.signal, lost.signal]))
      } catch (err) {
        log[hasFailed ? 'debug' : 'warn']({ err }, 'projection: Postgres did not answer')
        hasFailed = true
        await pause(RETRY_MS, AbortSignal.any([stopping.signal, lost.signal]))
      }
    }
  }

  function onNotification (payload: string) {
    const [position = '', ...keys] = payload.split(' ')
    const id = parseEventId(position)
    if (id) projection.advance(id, keys)
    else log.warn({ payload: payload.slice(0, 100) }, 'projection: invalid notification')
  }

  return async function stop () {
    stopping.abort()
    await finished
    await sql.end({ timeout: 1 })
  }
}

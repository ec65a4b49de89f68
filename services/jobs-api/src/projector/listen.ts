import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { parseEventId } from '@tidings/job-events'
import { createSql } from '@tidings/service-kit'
import { CHANNEL } from './announce-batch.ts'
import { readPosition } from '../db/projector-position.ts'
import type { ProjectionProgress } from './projection-progress.ts'

/** How often the connection is proven, and the position read: a pooler may swallow notifications. */
const CHECK_MS = 2000
const RETRY_MS = 500

type ListenOptions = { url: string, projection: ProjectionProgress, log: FastifyBaseLogger }

/** Keeps a projection told by whichever replica projects. A connection of its own, opened again whenever it is lost. */
export function listen ({ url, projection, log }: ListenOptions) {
  const stopping = new AbortController()
  let lost = new AbortController()
  const sql = createSql(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onclose: () => lost.abort(),
    onnotify: (_channel: string, payload: string) => announce(payload)
  } as Parameters<typeof createSql>[1])
  const finished = run()

  async function run () {
    while (!stopping.signal.aborted) {
      try {
        lost = new AbortController()
        await sql`listen ${sql(CHANNEL)}`
        projection.advanceTo(await readPosition(sql))
        await pause(CHECK_MS)
      } catch (err) {
        log.debug({ err }, 'projection: Postgres did not answer')
        await pause(RETRY_MS)
      }
    }
  }

  function announce (payload: string) {
    const [position = '', ...keys] = payload.split(' ')
    const id = parseEventId(position)
    if (id) projection.advance(id, keys)
    else log.warn({ payload: payload.slice(0, 100) }, 'projection: a notification that is not ours')
  }

  async function pause (ms: number) {
    await sleep(ms, undefined, { signal: AbortSignal.any([stopping.signal, lost.signal]) }).catch(() => {})
  }

  return async function stop () {
    stopping.abort()
    await finished
    await sql.end({ timeout: 1 })
  }
}

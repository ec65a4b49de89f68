import type { FastifyBaseLogger } from 'fastify'
import { formatEventId, parseEventId } from '@tidings/job-events'
import { createSql, pause, StepTimeout, type Loops } from '@tidings/service-kit'
import { readPosition } from '../db/projector-position.ts'
import { CHANNEL } from './announce-batch.ts'
import type { ProjectionProgress } from './projection-progress.ts'

/** How often the connection is checked and the position read: a pooler may swallow notifications. */
const CHECK_MS = 2000
const RETRY_MS = 500
/** After so long without an answer the position is in doubt: nothing ends connections to a host that has vanished. */
const SILENT_MS = 5000

/** More than a connect and two statements take that reach their timeouts. */
const TIMEOUT_MS = 40_000

type ListenOptions = {
  url: string
  projection: ProjectionProgress
  loops: Pick<Loops, 'watch'>
  log: FastifyBaseLogger
  open?: typeof createSql
  timeoutMs?: number
}

/**
 * Updates the progress from the notifications of the projecting replica, on a connection of its own, which is opened
 * again whenever it is lost, and replaced where a statement never ends: others would wait behind it. What a replaced
 * connection still reports is ignored: Postgres may have gone back meanwhile.
 */
export function listen (
  { url, projection, loops, log, open = createSql, timeoutMs = TIMEOUT_MS }: ListenOptions
) {
  const stopping = new AbortController()
  let lost = new AbortController()
  const loop = loops.watch('projection listener', timeoutMs)
  let sql = connect()
  const finished = run()

  function connect () {
    const opened: ReturnType<typeof createSql> = open(url, {
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onclose: () => {
        projection.lose()
        lost.abort()
      },
      onnotify: (_channel: string, payload: string) => { if (opened === sql) onNotification(payload) }
    } as Parameters<typeof createSql>[1])
    return opened
  }

  async function run () {
    let hasFailed = false
    while (!stopping.signal.aborted) {
      try {
        lost = new AbortController()
        await readAgain()
        hasFailed = false
        await pause(CHECK_MS, AbortSignal.any([stopping.signal, lost.signal]))
      } catch (err) {
        log[hasFailed ? 'debug' : 'warn']({ err }, 'projection: Postgres did not answer')
        hasFailed = true
        if (err instanceof StepTimeout) replace()
        await pause(RETRY_MS, AbortSignal.any([stopping.signal, lost.signal]))
      }
    }
  }

  async function readAgain () {
    const before = projection.position
    const silent = setTimeout(projection.lose, SILENT_MS)
    const at = await loop.step(async () => {
      await sql`listen ${sql(CHANNEL)}`
      return await readPosition(sql)
    }).finally(() => clearTimeout(silent))
    if (!projection.confirm(at, before)) return
    const [from, to] = [before, at].map(formatEventId)
    log.warn({ from, to }, 'projection: Postgres has lost its newest state; events since then are projected again')
  }

  function replace () {
    projection.lose()
    sql.end({ timeout: 0 }).catch((err: unknown) => log.debug({ err }, 'projection: a connection was not closed'))
    sql = connect()
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

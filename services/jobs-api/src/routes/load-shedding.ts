import { monitorEventLoopDelay } from 'node:perf_hooks'
import createError from '@fastify/error'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { requestsShed } from '../metrics.ts'

/** A loop this late is behind by more than it will catch up with while new work comes in. */
const MAX_LOOP_DELAY_MS = 1000
const SAMPLE_MS = 1000
const RESOLUTION_MS = 10

const Overloaded = createError('OVERLOADED', 'There is too much to do at this moment; try again', 503)

/**
 * Refuses requests of this scope while the event loop is late, or while more
 * are in hand than the process should hold (Postgres has stopped answering,
 * say). A request is in hand once it is authenticated and read. Long polls have
 * a bound of their own.
 */
export const loadShedding = fp<{ config: Config }>(async function loadShedding (app, { config }) {
  const shed = requestsShed(app.metricsRegistry)
  let inHand = 0

  const loop = watchEventLoop()
  app.addHook('onClose', async () => loop.stop())
  app.addHook('onRequest', (_request, _reply, done) => {
    if (loop.isLate) refuse()
    done()
  })
  // Once the body is there: a slow one, of anybody without a token even, must not take the place of a request.
  app.addHook('preHandler', (request, reply, done) => {
    const isLongPoll = (request.query as { wait?: string }).wait !== undefined && request.routeOptions.config.isBounded
    if (isLongPoll) return done()
    if (inHand >= config.REQUESTS_MAX) refuse()
    inHand++
    reply.raw.on('close', leave) // it closes once
    done()
  })

  const leave = () => { inHand-- }

  function refuse (): never {
    shed.inc()
    throw new Overloaded()
  }
}, { name: 'load-shedding' })

/** Not @fastify/under-pressure: its timer reads the memory as well, which throws, and ends the process, when there is no file descriptor left. */
function watchEventLoop () {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let isLate = false
  const timer = setInterval(() => {
    // Not a number where nothing was measured: the loop stood still for all of the time.
    isLate = !(delay.mean / 1e6 - RESOLUTION_MS <= MAX_LOOP_DELAY_MS)
    delay.reset()
  }, SAMPLE_MS).unref()
  return {
    get isLate () { return isLate },
    stop () {
      clearInterval(timer)
      delay.disable()
    }
  }
}

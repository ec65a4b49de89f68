import { monitorEventLoopDelay } from 'node:perf_hooks'
import createError from '@fastify/error'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { requestsShed } from '../metrics.ts'

const SAMPLE_MS = 1000
const RESOLUTION_MS = 10

const Overloaded = createError('OVERLOADED', 'The service is overloaded; try again', 503)

/**
 * Refuses requests of this scope while the event loop is so late that it could not catch up as more work arrives, or
 * while more are in progress than the process should hold (because Postgres has stopped answering, for example). A
 * request counts once it is authenticated and its body was read. Long polls have a limit of their own.
 */
export const loadShedding = fp<{ config: Config }>(async function loadShedding (app, { config }) {
  const shed = requestsShed(app.metricsRegistry)
  let inProgress = 0

  const loop = watchEventLoop(config.EVENT_LOOP_DELAY_MAX_MS)
  app.addHook('onClose', async () => loop.stop())
  app.addHook('onRequest', (_request, _reply, done) => {
    if (loop.isLate) refuse()
    done()
  })
  // After the body has arrived: a slow body, perhaps without a valid token, must not take up the place of a request.
  app.addHook('preHandler', (request, reply, done) => {
    const isLongPoll = (request.query as { wait?: string }).wait !== undefined && request.routeOptions.config.isBounded
    if (isLongPoll) return done()
    if (inProgress >= config.REQUESTS_MAX) refuse()
    inProgress++
    reply.raw.on('close', release) // emitted once
    done()
  })

  const release = () => { inProgress-- }

  function refuse (): never {
    shed.inc()
    throw new Overloaded()
  }
}, { name: 'load-shedding', dependencies: ['metrics'] })

/**
 * Not @fastify/under-pressure: its timer also reads the memory usage, which throws, and ends the process, when there is
 * no file descriptor left.
 */
function watchEventLoop (maxDelayMs: number) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let isLate = false
  const timer = setInterval(() => {
    // NaN if nothing was measured: the loop was blocked for the whole period.
    isLate = maxDelayMs > 0 && !(delay.mean / 1e6 - RESOLUTION_MS <= maxDelayMs)
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

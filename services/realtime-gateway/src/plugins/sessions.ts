import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { formatEventId, hasNewer } from '@tidings/job-events'
import { watchForStall } from '@tidings/service-kit'
import { createGate, type Gate } from '../auth/gate.ts'
import { createSeats } from '../auth/seats.ts'
import type { Config } from '../config.ts'
import { createJobsApi } from '../jobs/jobs-api.ts'
import { createLookUps } from '../jobs/look-ups.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { createRevocations, type Revocations } from '../revocation/revocations.ts'
import { Audience } from '../session/audience.ts'
import { createCommands, type Commands } from '../session/commands.ts'
import { drain } from '../session/drain.ts'
import { watchExpiries } from '../session/expiry.ts'
import { createHistory } from '../session/history.ts'
import { createSessions, type Sessions } from '../session/sessions.ts'
import type { SubscribeOptions } from '../session/subscribe.ts'
import { measureLag } from '../tail/lag.ts'
import { startTail } from '../tail/tail.ts'

/** A start waits for Redis this long; then the service starts without. */
const START_WAIT_MS = 2000

/** What is asked over plain HTTP here is answered by then. */
const LINGER_MS = 1000

/** The core that the three faces share: the tail, and the sessions it tells. */
export const sessions = fp(async function sessions (app) {
  const { config, redis, log } = app
  const audience = new Audience()
  const metrics = createMetrics(app.metricsRegistry)
  const history = createHistory({ redis, ttlMs: config.HISTORY_TTL_MS })
  const revocations = createRevocations({ redis, audience, log })
  const seats = createSeats({ redis, max: config.REALTIME_MAX_SESSIONS, log })
  const jobsApi = createJobsApi({ url: config.JOBS_API_URL, log })
  const subscribing = {
    history,
    lookUps: createLookUps({ jobsApi }),
    metrics,
    maxSubscriptions: config.REALTIME_MAX_SUBSCRIPTIONS,
    unknownJobMs: config.REALTIME_UNKNOWN_JOB_MS
  }
  let draining = false

  for (const until = Date.now() + START_WAIT_MS; redis.status !== 'ready' && Date.now() < until;) await sleep(10)
  const tail = startTail({ redis, audience, metrics, log })
  const lag = measureLag({ redis, tail, metrics })
  const standstill = watchForStall({
    what: 'tail',
    position: () => formatEventId(tail.position),
    isBehind: async () => await hasNewer(redis, tail.position),
    reason: () => tail.fault?.message,
    patienceMs: config.STANDSTILL_MS,
    log
  })
  const stopWatching = watchExpiries(audience)
  const open = createSessions({ config, tail, audience, history, metrics, isDraining: () => draining, log })
  const gate = createGate({
    verifyToken: app.verifyToken,
    revocations,
    seats,
    connectsPerSecond: config.REALTIME_CONNECTS_PER_SECOND,
    maxSessions: config.REALTIME_MAX_SESSIONS,
    isReady: () => tail.hasStarted && !tail.halted && !draining
  })

  app.decorate('audience', audience)
  app.decorate('meters', metrics)
  app.decorate('gate', gate)
  app.decorate('revocations', revocations)
  app.decorate('subscribing', subscribing)
  app.decorate('sessions', open)
  app.decorate('commands', createCommands({
    ...subscribing,
    gate,
    log,
    commandsPerSecond: config.REALTIME_COMMANDS_PER_SECOND
  }))

  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
  app.addReadinessCheck('tail', 'required', () => {
    if (tail.halted) return tail.halted.message
    return lag.seconds * 1000 > config.REALTIME_MAX_LAG_MS ? `${lag.seconds} s behind the stream` : undefined
  })
  app.addReadinessCheck('tail standstill', 'required', standstill.fault)

  app.addHook('preClose', async () => {
    draining = true
    await drain(audience, config.REALTIME_DRAIN_MS)
    // Browsers open connections ahead of use; one that has sent nothing is not idle to Node, and would be waited for.
    setTimeout(() => app.server.closeAllConnections(), LINGER_MS).unref()
  })
  app.addHook('onClose', async () => {
    lag.stop()
    standstill.stop()
    stopWatching()
    revocations.close()
    seats.close()
    await Promise.all([tail.stop(), jobsApi.close()])
  })
}, { name: 'sessions', dependencies: ['redis', 'health', 'metrics', 'jwt-auth'] })

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
    audience: Audience
    meters: Metrics
    gate: Gate
    revocations: Revocations
    sessions: Sessions
    commands: Commands
    subscribing: SubscribeOptions
  }
}

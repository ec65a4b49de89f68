import fp from 'fastify-plugin'
import { createJobLookups } from '../job-lookup/job-lookups.ts'
import { createJobsApi } from '../job-lookup/jobs-api.ts'
import { createCommands, type Commands } from './commands.ts'
import { watchExpiries } from './expiry.ts'
import { createHistory } from './history.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { SubscribeOptions } from './subscribe.ts'

/** Requests over plain HTTP are answered by then. */
const HTTP_DRAIN_MS = 1000

/**
 * Decorates what every transport uses: `app.sessions` opens sessions, `app.commands` takes their commands, and
 * `app.subscribeOptions` is what a subscription needs. On close the sessions are drained.
 */
export const sessions = fp(async function sessions (app) {
  const { config, redis, hub, tail, meters, admission, log } = app
  const history = createHistory({ redis, ttlMs: config.HISTORY_TTL_MS })
  const jobsApi = createJobsApi({ url: config.JOBS_API_URL, log })
  const subscribeOptions = {
    history,
    jobLookups: createJobLookups({ jobsApi }),
    metrics: meters,
    maxSubscriptions: config.REALTIME_MAX_SUBSCRIPTIONS,
    unknownJobMs: config.REALTIME_UNKNOWN_JOB_MS
  }
  const stopWatching = watchExpiries(hub)

  app.decorate('subscribeOptions', subscribeOptions)
  app.decorate('sessions', createSessions({ config, tail, hub, history, metrics: meters, log }))
  app.decorate('commands', createCommands({
    ...subscribeOptions,
    identify: admission.identify,
    log,
    commandsPerSecond: config.REALTIME_COMMANDS_PER_SECOND
  }))

  app.addHook('preClose', async () => {
    await hub.drain(config.REALTIME_DRAIN_MS)
    // Browsers open connections in advance. One that has sent nothing is not idle to Node, which would wait for it.
    setTimeout(() => app.server.closeAllConnections(), HTTP_DRAIN_MS).unref()
  })
  app.addHook('onClose', async () => {
    stopWatching()
    await jobsApi.close()
  })
}, { name: 'sessions', dependencies: ['redis', 'realtime-metrics', 'stream', 'admission'] })

declare module 'fastify' {
  interface FastifyInstance {
    sessions: Sessions
    commands: Commands
    subscribeOptions: SubscribeOptions
  }
}

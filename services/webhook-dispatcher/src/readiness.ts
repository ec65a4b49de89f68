import fp from 'fastify-plugin'

/**
 * Ready needs Postgres alone: without Redis what is pending is delivered and
 * webhooks are managed. Degraded, where operators should look.
 */
export const readiness = fp(async function readiness (app) {
  app.addReadinessCheck('postgres', 'required', async () => { await app.sql`select 1` })
  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
}, { name: 'readiness', dependencies: ['health', 'postgres', 'redis'] })

import fp from 'fastify-plugin'

/**
 * Readiness requires only Postgres: without Redis pending deliveries go out and
 * webhooks can be managed. The service is degraded then, for operators to see.
 */
export const readiness = fp(async function readiness (app) {
  app.addReadinessCheck('postgres', 'required', async () => { await app.sql`select 1` })
  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
}, { name: 'readiness', dependencies: ['health', 'postgres', 'redis'] })

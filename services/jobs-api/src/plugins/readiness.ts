import fp from 'fastify-plugin'

/**
 * Ready needs Postgres alone: without Redis jobs are accepted and polled.
 * Degraded, where operators should look.
 */
export const readiness = fp(async function readiness (app) {
  app.addReadinessCheck('postgres', 'required', async () => { await app.sql`select 1` })
  app.addReadinessCheck('redis', 'optional', app.redisChecks.away)
  app.addReadinessCheck('redis-access', 'required', app.redisChecks.refused)
  app.addReadinessCheck('projector', 'required', () => app.projectorFault())
}, { name: 'readiness', dependencies: ['health', 'postgres', 'redis', 'projector'] })

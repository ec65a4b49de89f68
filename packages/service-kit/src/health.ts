import fp from 'fastify-plugin'
import { withTimeout } from './async.ts'

/** A check resolves to undefined when it passes, else to the reason; a rejection is a reason too. */
type Check = () => Promise<string | undefined> | string | undefined
type Need = 'required' | 'optional'

const CHECK_TIMEOUT_MS = 2000

/**
 * `/livez` (the process answers) and `/readyz`: 503 while closing or when a required check fails; 200 with `degraded`
 * when only optional checks fail.
 */
export const health = fp(async function health (app) {
  const checks: { name: string, need: Need, check: Check }[] = []
  let closing = false
  app.addHook('preClose', async () => { closing = true })

  app.decorate('addReadinessCheck', (name: string, need: Need, check: Check) => { checks.push({ name, need, check }) })

  app.get('/livez', { logLevel: 'warn', schema: { hide: true } }, async () => ({ status: 'ok' }))
  app.get('/readyz', { logLevel: 'warn', schema: { hide: true } }, async (_request, reply) => {
    if (closing) return reply.code(503).send({ status: 'closing' })
    const results = await Promise.all(
      checks.map(async ({ name, need, check }) => ({ name, need, fault: await run(check) }))
    )
    const faults = results.filter(({ fault }) => fault !== undefined)
    const named = Object.fromEntries(faults.map(({ name, fault }) => [name, fault]))
    if (faults.some(({ need }) => need === 'required')) {
      return reply.code(503).send({ status: 'unready', faults: named })
    }
    return faults.length > 0 ? { status: 'degraded', degraded: named } : { status: 'ok' }
  })
}, { name: 'health' })

async function run (check: Check): Promise<string | undefined> {
  try {
    return await withTimeout(check(), CHECK_TIMEOUT_MS, () => 'no answer in time')
  } catch (err) {
    return err instanceof Error ? err.message : String(err)
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    addReadinessCheck: (name: string, need: Need, check: Check) => void
  }
}

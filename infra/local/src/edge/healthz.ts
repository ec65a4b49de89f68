import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'
import { upstreams } from './upstreams.ts'

const TIMEOUT_MS = 3_000

/** `/healthz`: the readiness of each service; 503 when one of them is not ready. `/livez` is about the edge alone. */
export const healthz = fp<{ config: EdgeConfig }>(async function healthz (app, { config }) {
  app.get('/livez', { logLevel: 'warn' }, async () => ({ status: 'ok' }))
  app.get('/healthz', { logLevel: 'warn' }, async (_request, reply) => {
    const asked = Object.entries(upstreams(config)).map(async ([name, url]) => [name, await ask(url)] as const)
    const services = Object.fromEntries(await Promise.all(asked))
    const isReady = Object.values(services).every(({ ready }) => ready)
    return reply.code(isReady ? 200 : 503).send({
      status: isReady ? 'ok' : 'unready',
      services: Object.fromEntries(Object.entries(services).map(([name, { answer }]) => [name, answer]))
    })
  })
}, { name: 'healthz' })

async function ask (url: string): Promise<{ ready: boolean, answer: unknown }> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { ready: response.ok, answer: await response.json() }
  } catch (err) {
    const { cause } = err as { cause?: { code?: string } }
    return { ready: false, answer: { status: 'unreachable', reason: cause?.code ?? (err as Error).message } }
  }
}

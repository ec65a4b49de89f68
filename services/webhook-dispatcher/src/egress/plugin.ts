import fp from 'fastify-plugin'
import { egressRules } from '@tidings/service-kit'
import { createAttempter, type Attempter } from './attempt.ts'
import { trustedCertificates } from './certificates.ts'

/** Decorates `app.attempt`: all requests to endpoints go through it. */
export const egress = fp(async function egress (app) {
  const { config } = app
  const { WEBHOOK_PROXY_URL: url, WEBHOOK_CA_FILE: file } = config
  const attempt = createAttempter({
    ...egressRules(config),
    connections: config.WEBHOOK_MAX_PER_ORIGIN,
    connectTimeoutMs: config.WEBHOOK_TIMEOUT_MS,
    proxy: url === undefined ? undefined : { url, resolves: config.WEBHOOK_PROXY_DNS ? 'proxy' : 'here' },
    ca: file === undefined ? undefined : trustedCertificates(file)
  })
  app.decorate('attempt', attempt)
  app.addHook('onClose', attempt.close)
}, { name: 'egress' })

declare module 'fastify' {
  interface FastifyInstance { attempt: Attempter }
}

import fp from 'fastify-plugin'
import { egressRules } from '@tidings/service-kit'
import { createAttempter, type Attempter } from './attempt.ts'

/** Decorates `app.attempt`: the only way out to endpoints. */
export const egress = fp(async function egress (app) {
  const attempt = createAttempter({ ...egressRules(app.config), connections: app.config.WEBHOOK_MAX_PER_ORIGIN })
  app.decorate('attempt', attempt)
  app.addHook('onClose', attempt.close)
}, { name: 'egress' })

declare module 'fastify' {
  interface FastifyInstance { attempt: Attempter }
}

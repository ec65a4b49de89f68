import fp from 'fastify-plugin'
import { createAdmission, type Admission } from './admission.ts'
import { createRevocations, type Revocations } from './revocations.ts'
import { createSessionQuota } from './session-quota.ts'

/** Decorates `app.admission`, which every transport asks for a session's grant, and `app.revocations`. */
export const admission = fp(async function admission (app) {
  const { config, redis, hub, tail, log } = app
  const revocations = createRevocations({ redis, hub, log })
  const quota = createSessionQuota({ redis, max: config.REALTIME_MAX_SESSIONS, log })

  app.decorate('revocations', revocations)
  app.decorate('admission', createAdmission({
    verifyToken: app.verifyToken,
    revocations,
    quota,
    connectsPerSecond: config.REALTIME_CONNECTS_PER_SECOND,
    maxSessions: config.REALTIME_MAX_SESSIONS,
    isReady: () => tail.hasStarted && !tail.halted && !hub.isDraining,
    log
  }))

  app.addHook('onClose', async () => {
    revocations.close()
    quota.close()
  })
}, { name: 'admission', dependencies: ['redis', 'jwt-auth', 'stream'] })

declare module 'fastify' {
  interface FastifyInstance {
    admission: Admission
    revocations: Revocations
  }
}

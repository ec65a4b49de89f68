import fp from 'fastify-plugin'
import { secretKeys } from '../config.ts'
import { reseal } from './reencrypt-secrets.ts'
import { sealHeaders } from './encrypt-headers.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** Decorates `app.secretBox`; at start, secrets of retired keys come under the current one. */
export const secrets = fp(async function secrets (app) {
  const box = createSecretBox(secretKeys(app.config))
  app.decorate('secretBox', box)
  const resealed = await reseal(app.sql, box)
  const webhooks = await sealHeaders(app.sql, box)
  if (webhooks > 0) app.log.info({ webhooks }, 'secrets: headers encrypted')
  if (resealed > 0) app.log.info({ secrets: resealed }, 'secrets: encrypted with the new key')
}, { name: 'secrets', dependencies: ['postgres'] })

declare module 'fastify' {
  interface FastifyInstance { secretBox: SecretBox }
}

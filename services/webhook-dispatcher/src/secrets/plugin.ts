import fp from 'fastify-plugin'
import { secretKeys } from '../config.ts'
import { reencryptSecrets } from './reencrypt-secrets.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** Decorates `app.secretBox`; at start, secrets encrypted with a retired key are encrypted with the current one. */
export const secrets = fp(async function secrets (app) {
  const box = createSecretBox(secretKeys(app.config))
  app.decorate('secretBox', box)
  const count = await reencryptSecrets(app.sql, box)
  if (count > 0) app.log.info({ secrets: count }, 'secrets: encrypted with the new key')
}, { name: 'secrets', dependencies: ['postgres'] })

declare module 'fastify' {
  interface FastifyInstance { secretBox: SecretBox }
}

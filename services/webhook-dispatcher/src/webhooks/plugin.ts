import fp from 'fastify-plugin'
import { encryptHeaders } from './encrypt-headers.ts'

/** At start, the webhooks' own headers are encrypted with the current key. */
export const webhooks = fp(async function webhooks (app) {
  const count = await encryptHeaders(app.sql, app.secretBox)
  if (count > 0) app.log.info({ webhooks: count }, 'webhooks: headers encrypted')
}, { name: 'webhooks', dependencies: ['postgres', 'secrets'] })

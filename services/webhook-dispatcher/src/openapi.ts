import Fastify from 'fastify'
import { jwtAuth } from '@tidings/contracts'
import { createRedis, docs, validatorCompiler } from '@tidings/service-kit'
import { loadConfig } from './config.ts'
import { api } from './routes/api.ts'
import { VERSION } from './version.ts'

export const API = {
  title: 'Tidings webhook-dispatcher',
  description: 'Webhooks: registration, deliveries and their attempts, replay',
  version: VERSION
}

/** The OpenAPI document, made from the routes without anything that they run on. */
export async function describeApi (): Promise<object> {
  const nowhere = 'redis://127.0.0.1:1'
  const settings = { TOKEN_SECRET: 'none', DATABASE_URL: 'postgres://nowhere', WEBHOOK_SECRET_KEY: 'no key for nothing', REDIS_URL: nowhere }
  const app = Fastify().setValidatorCompiler(validatorCompiler)
  app.decorate('config', loadConfig(settings))
  app.decorate('redis', createRedis(nowhere, { lazyConnect: true }))
  app.register(docs, API)
  app.register(jwtAuth, { settings })
  app.register(api)
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}

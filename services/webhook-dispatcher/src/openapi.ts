import { createRedis, openApiDocument, VERSION } from '@tidings/service-kit'
import { loadConfig } from './config.ts'
import { api } from './routes/api.ts'

export const API = {
  title: 'Tidings webhook-dispatcher',
  description: 'Webhooks: registration, deliveries and their attempts, replay',
  version: VERSION,
  tags: {
    webhooks: 'Endpoints that receive events of jobs, and their secrets',
    deliveries: 'What was sent to a webhook, with each attempt, and what to send again',
    'legacy webhook': 'The one webhookUrl of a user that receives completions',
    operators: 'The state of the system, for operators'
  }
}

/** The OpenAPI document of the routes. */
export async function describeApi (): Promise<object> {
  const nowhere = 'redis://127.0.0.1:1'
  const settings = {
    TOKEN_SECRET: 'none',
    DATABASE_URL: 'postgres://nowhere',
    WEBHOOK_SECRET_KEY: 'no key for nothing',
    REDIS_URL: nowhere
  }
  return await openApiDocument({
    api: API,
    register: app => {
      app.decorate('config', loadConfig(settings))
      app.decorate('redis', createRedis(nowhere, { lazyConnect: true }))
      app.register(api)
    }
  })
}

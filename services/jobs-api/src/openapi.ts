import { metrics, openApiDocument, VERSION } from '@tidings/service-kit'
import { loadConfig } from './config.ts'
import { api } from './routes/api.ts'

export const API = {
  title: 'Tidings jobs-api',
  description: 'Submit, poll, list, count, cancel and retry jobs; act on many; refresh and inspect tokens',
  version: VERSION,
  tags: {
    auth: 'Tokens: who they are for, and new ones',
    submit: 'New jobs',
    jobs: 'The jobs of a user: lists, states, timelines and commands',
    bulk: 'Actions on many jobs or deliveries',
    users: 'What operators do for a whole user',
    operators: 'The state of the system, for operators'
  }
}

/** The decorators that the routes use when they are called. */
const USED = [
  'sql', 'isRevoked', 'redis', 'findQueue', 'findJob', 'scan', 'waitForEvent', 'waitForJob', 'bulks', 'projection'
]

/** The OpenAPI document of the routes. */
export async function describeApi (): Promise<object> {
  const config = loadConfig({
    TOKEN_SECRET: 'none', REFRESH_TOKEN_SECRET: 'none either', DATABASE_URL: 'postgres://nowhere', RATE_LIMIT_MAX: '0'
  })
  return await openApiDocument({
    api: API,
    register: app => {
      app.decorate('config', config)
      app.decorate('queueNames', config.queues)
      for (const name of USED) app.decorate(name, notCalled)
      app.register(metrics)
      app.register(api)
    }
  })
}

function notCalled (): never {
  throw new Error('No route is called for the document')
}

import { fileURLToPath } from 'node:url'
import { createDatabase, freePort, spawnService, TEST_SECRET, type TestContext } from '@tidings/testing'

export const entryOf = (service: string) =>
  fileURLToPath(new URL(`../services/${service}/src/server.ts`, import.meta.url))

/** Starts the services as a deployment does, but without an edge: three processes on a database of their own. */
export async function startServices (t: TestContext, settings: Record<string, string>) {
  const [{ url: database }, jobs, gateway, dispatcher] = await Promise.all([
    createDatabase(t),
    freePort(),
    freePort(),
    freePort()
  ])
  const urls = {
    jobs: `http://127.0.0.1:${jobs}`,
    gateway: `http://127.0.0.1:${gateway}`,
    dispatcher: `http://127.0.0.1:${dispatcher}`
  }
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    TOKEN_SECRET: TEST_SECRET,
    DATABASE_URL: database,
    LEASE_MS: '1000',
    EVENT_LOOP_DELAY_MAX_MS: '0', // a busy machine is late for reasons of its own
    ...settings
  }
  const services = await Promise.all([
    spawnService(t, {
      entry: entryOf('jobs-api'),
      env: { ...env, PORT: String(jobs), WEBHOOK_DISPATCHER_URL: urls.dispatcher },
      readyUrl: `${urls.jobs}/livez`
    }),
    spawnService(t, {
      entry: entryOf('realtime-gateway'),
      env: { ...env, PORT: String(gateway), JOBS_API_URL: urls.jobs },
      readyUrl: `${urls.gateway}/livez`
    }),
    spawnService(t, {
      entry: entryOf('webhook-dispatcher'),
      env: {
        ...env,
        PORT: String(dispatcher),
        WEBHOOK_ALLOW_PRIVATE: 'true',
        WEBHOOK_SECRET_KEY: 'a key for tests and nothing else'
      },
      readyUrl: `${urls.dispatcher}/livez`
    })
  ])
  return { urls, output: () => services.map(({ output }) => output()).join('\n') }
}

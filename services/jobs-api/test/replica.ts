import { fileURLToPath } from 'node:url'
import { freePort, spawnService, type SpawnedService, type TestContext } from '@tidings/testing'

/** Only ends a run in which nothing works: no test depends on how soon it is ready. */
const READY_TIMEOUT_MS = 120_000
const entry = fileURLToPath(new URL('../src/server.ts', import.meta.url))

export type Replica = SpawnedService & { url: string }

/** Runs the service as a process of its own, so that it can be killed or frozen. */
export async function startReplica (t: TestContext, env: Record<string, string>): Promise<Replica> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const service = await spawnService(t, {
    entry,
    env: { LEASE_MS: '1000', ...env, JOBS_API_PORT: String(port) },
    readyUrl: `${url}/readyz`,
    readyTimeoutMs: READY_TIMEOUT_MS
  })
  return { ...service, url }
}

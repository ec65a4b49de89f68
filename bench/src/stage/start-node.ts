import { spawnServer, waitUntilReady } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'
import { fileURLToPath } from 'node:url'

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

export interface NodeScript {
  name: string
  entry: URL
  env: NodeJS.ProcessEnv
  log: string
  /** Answers anything at all once the process does its work. */
  readyUrl: string
}

/** Runs a server as a process of its own and resolves when it answers. */
export async function startNode ({ name, entry, env, log, readyUrl }: NodeScript): Promise<ServerProcess> {
  const running = await spawnServer({
    name,
    command: process.execPath,
    args: [fileURLToPath(entry)],
    log,
    env,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS
  })
  await waitUntilReady(running, { name, log, timeoutMs: START_TIMEOUT_MS, isReady: () => answers(readyUrl) })
  return running
}

async function answers (url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.body?.cancel()
    return response.status !== 503
  } catch {
    return false
  }
}

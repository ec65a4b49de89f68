import { spawnServer, waitUntilReady } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'
import { root } from '../root.ts'

// More than the 25 s in which a service drains.
const STOP_TIMEOUT_MS = 28_000
const READY_TIMEOUT_MS = 60_000
const PROBE_TIMEOUT_MS = 3_000

export interface NodeProcessOptions {
  name: string
  /** The script. By its absolute path a later start recognises the process. */
  entry: string
  env: NodeJS.ProcessEnv
  log: string
}

/** Runs a script as a process of its own, under the same Node and, where there is one, with its compile cache. */
export async function startNodeProcess ({ name, entry, env, log }: NodeProcessOptions): Promise<ServerProcess> {
  const { NODE_COMPILE_CACHE } = process.env
  return await spawnServer({
    name,
    command: process.execPath,
    args: [entry],
    log,
    env: { ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...env },
    cwd: root,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS
  })
}

type Running = { running: ServerProcess, name: string, log: string }

/** Resolves when this URL responds with 2xx; rejects with the end of the log when the process ends before. */
export async function untilResponding (url: string, { running, name, log }: Running): Promise<void> {
  await waitUntilReady(running, {
    name,
    log,
    timeoutMs: READY_TIMEOUT_MS,
    isReady: async () => {
      try {
        return (await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok
      } catch {
        return false // not listening yet
      }
    }
  })
}

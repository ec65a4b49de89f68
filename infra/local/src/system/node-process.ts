import { spawnServer, waitUntilReady } from '@tidings/dev-servers'
import type { ServerProcess } from '@tidings/dev-servers'
import { root } from '../root.ts'

// Beyond the 25 s in which a service drains.
const STOP_TIMEOUT_MS = 28_000
const READY_TIMEOUT_MS = 60_000
const PROBE_TIMEOUT_MS = 3_000

export interface NodeProcessOptions {
  name: string
  /** The script. Its absolute path tells a later start that the process was ours. */
  entry: string
  env: NodeJS.ProcessEnv
  log: string
}

/** Runs a script as a process of its own, under the Node that runs this. */
export async function startNodeProcess ({ name, entry, env, log }: NodeProcessOptions): Promise<ServerProcess> {
  return await spawnServer({
    name,
    command: process.execPath,
    args: [entry],
    log,
    env,
    cwd: root,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS
  })
}

/** Resolves when this URL answers 2xx; rejects with the end of the process's log when it ends before. */
export async function answersAt (url: string, { running, name, log }: { running: ServerProcess, name: string, log: string }): Promise<void> {
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

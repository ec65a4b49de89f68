import { setTimeout } from 'node:timers/promises'

/** Resolves after `ms`; an abort rejects with the signal's reason, where a timer of Node has an AbortError. */
export async function sleep (ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => { throw signal.reason })
}

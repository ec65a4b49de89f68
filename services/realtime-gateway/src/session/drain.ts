import { setTimeout as sleep } from 'node:timers/promises'
import type { Audience } from './audience.ts'

const SLICE_MS = 100
/** Fewer are not worth spreading. */
const MIN_SLICE = 50

/** Ends all sessions in slices, so that other replicas are not met by all at once. */
export async function drain (audience: Audience, overMs: number): Promise<void> {
  const sessions = audience.sessions
  for (const session of sessions) session.send('server:draining', {})
  const size = Math.max(MIN_SLICE, Math.ceil(sessions.length * SLICE_MS / overMs))
  for (let i = 0; i < sessions.length; i += size) {
    for (const session of sessions.slice(i, i + size)) session.end('draining')
    await sleep(SLICE_MS)
  }
}

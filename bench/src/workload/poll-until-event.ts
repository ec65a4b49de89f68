import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../clock.ts'
import { call } from './call.ts'

const PAUSE_MS = 10

interface Wanted { url: string, token: string, seq: number, signal: AbortSignal }
interface Polled { state: string, progress?: { mark?: string }, result?: { mark?: string } }

/** Polls a job until it shows the event of this number or a later one, and returns the time. */
export async function pollUntilEvent ({ url, token, seq, signal }: Wanted): Promise<number> {
  for (;;) {
    const job = await call<Polled>(url, { token })
    if (Math.max(seqIn(job.progress?.mark), seqIn(job.result?.mark)) >= seq) return now()
    await sleep(PAUSE_MS, undefined, { signal })
  }
}

function seqIn (mark: string | undefined): number {
  return mark === undefined ? -1 : Number(mark.split('.')[1])
}

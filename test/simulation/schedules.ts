import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import type { Found, Job } from './worker.ts'

const replayed = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
/** Schedules of a protocol; `SCHEDULES=10000` runs more. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 120)
/** A mutation is found within a few dozen schedules, mostly in the first. */
const MOST_UNTIL_CAUGHT = 2000
const MAX_LINES = 60

/**
 * Runs schedules of a protocol, which is a module with `variants`, with seeds from 1. In a thread of its own: tap
 * follows every promise of its thread, which would be most of the time.
 */
export function simulate (t: Test, protocol: URL) {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: protocol.href })
  t.teardown(() => worker.terminate())

  async function run (variant: string, schedules: number): Promise<Found | undefined> {
    const job: Job = { variant, from: replayed ?? 1, to: replayed ?? schedules }
    worker.postMessage(job)
    const [{ found }] = await once(worker, 'message') as [{ found: Found | undefined }]
    return found
  }

  return {
    /** All schedules hold. A failure names its seed: `SEED=<seed>` runs that one again, and prints the whole of it. */
    async holds (this: void, t: Test, variant: string): Promise<void> {
      const found = await run(variant, SCHEDULES)
      if (!found) {
        t.pass(`${SCHEDULES} schedules`)
        return
      }
      t.comment(found.trace.slice(replayed === undefined ? -MAX_LINES : 0).join('\n'))
      t.fail(`${found.message}. To repeat it: SEED=${found.seed} (${variant})`)
    },

    /** The protocol without one of its rules: a schedule violates an invariant, or the checker would be blind. */
    async isCaught (this: void, t: Test, variant: string): Promise<void> {
      const found = await run(variant, MOST_UNTIL_CAUGHT)
      if (found?.isViolation) t.pass(`seed ${found.seed}: ${found.message.split('\n')[0]}`)
      else t.fail(found ? `${variant} fails in another way: ${found.message}` : `no schedule shows it: ${variant}`)
    }
  }
}

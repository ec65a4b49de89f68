import type { Random } from '../random.ts'

/** What becomes of a job. `late` reports progress after its end, `large` returns more than an event holds. */
const KINDS = ['succeeds', 'succeeds', 'fails', 'retries', 'stalls', 'late', 'large'] as const

/** The data of a job. A job that obeys ends when it is cancelled. */
export interface ChaosJob { kind: typeof KINDS[number], pauseMs: number, obeys: boolean, userId?: string }

export interface JobSpec {
  name: string
  data: ChaosJob
  options: { attempts: number, backoff: { type: 'fixed', delay: number }, delay?: number, priority?: number }
}

/** A random job of any kind: at once or delayed, with a priority or without one. */
export function randomJob (random: Random): JobSpec {
  const kind = random.oneOf(KINDS)
  return {
    name: kind,
    data: { kind, pauseMs: random.between(0, 500), obeys: random.happens(0.5) },
    options: {
      attempts: 2,
      backoff: { type: 'fixed', delay: random.between(1, 500) },
      ...(random.happens(0.25) && { delay: random.between(1, 2000) }),
      ...(random.happens(0.1) && { priority: random.between(1, 10) })
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'

type Repeated = { what: string, everyMs: number, task: () => Promise<void>, signal: AbortSignal, log: FastifyBaseLogger }

/** Does something again and again, one after the other, until the signal aborts. What fails is logged and tried the next time. */
export async function repeat ({ what, everyMs, task, signal, log }: Repeated): Promise<void> {
  let hasFailed = false
  while (!signal.aborted) {
    try {
      await task()
      hasFailed = false
    } catch (err) {
      if (!signal.aborted) log[hasFailed ? 'debug' : 'warn']({ err, what }, 'failed, will be tried again')
      hasFailed = true
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

import type { FastifyBaseLogger } from 'fastify'
import type { Attempter } from '../egress/attempt.ts'
import { signedHeaders } from '../signing/signed-headers.ts'
import { VERSION } from '../version.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { handedBack, type Result, type Task } from './task.ts'
import { isGone, judge, pausedUntil, type RetryPolicy } from './verdict.ts'

/** When a delivery that we ourselves can't make (a secret that no key opens) is tried again. */
const OWN_FAULT_PAUSE_MS = 60_000

type PosterOptions = {
  attempt: Attempter
  openSecret: (ciphertext: string) => string
  policy: RetryPolicy
  timeoutMs: number
  metrics: DeliveryMetrics
  signal: AbortSignal
  log: FastifyBaseLogger
}

/** Makes the function that posts a task once and says what follows. */
export function createPoster ({ attempt, openSecret, policy, timeoutMs, metrics, signal, log }: PosterOptions) {
  return async function post (task: Task): Promise<Result> {
    const startedAt = Date.now()
    try {
      const { url } = task.target
      const headers = headersOf(task, Math.floor(startedAt / 1000))
      const outcome = await attempt({ url, headers, body: task.body, timeoutMs, signal })
      log.debug({ webhookId: task.target.id, eventId: task.messageId, attempt: task.attempt, status: outcome.status, errorClass: outcome.errorClass }, 'delivery: attempted')
      const attempted = { startedAt, outcome, pausedUntil: pausedUntil(outcome, policy) }
      metrics.attempted(task, attempted)
      const verdict = judge(outcome, task.attempt, policy)
      return { verdict, chain: outcome.ok || isGone(outcome) ? 'flows' : 'fails', attempt: attempted }
    } catch (err) {
      if (signal.aborted) return handedBack()
      log.error({ err, webhookId: task.target.id }, 'delivery: not possible')
      return handedBack({ dueAt: startedAt + OWN_FAULT_PAUSE_MS })
    }
  }

  function headersOf ({ target, messageId, body, attempt }: Task, timestampSeconds: number): Record<string, string> {
    const secrets = target.ciphertexts.map(openSecret)
    return {
      ...target.headers,
      'content-type': 'application/json',
      'user-agent': `Tidings/${VERSION}`,
      ...signedHeaders({ id: messageId, timestampSeconds, body, secrets }),
      'webhook-attempt': String(attempt)
    }
  }
}

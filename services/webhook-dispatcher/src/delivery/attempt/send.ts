import type { FastifyBaseLogger } from 'fastify'
import type { Attempter } from '../../egress/attempt.ts'
import { OwnFault } from '../../egress/own-fault.ts'
import { signedHeaders } from './signed-headers.ts'
import { VERSION } from '../../version.ts'
import { openHeaders } from '../../webhooks/own-headers.ts'
import type { DeliveryMetrics } from '../metrics.ts'
import type { OwnFaults } from './own-faults.ts'
import { handedBack, type Result, type Target, type Task } from './task.ts'
import { isEndOfJobUrl, isGone, judge, pausedUntil, type RetryPolicy } from './retry-policy.ts'

type PosterOptions = {
  attempt: Attempter
  openSecret: (ciphertext: string) => string
  policy: RetryPolicy
  timeoutMs: number
  metrics: DeliveryMetrics
  ownFaults: OwnFaults
  signal: AbortSignal
  log: FastifyBaseLogger
}

/**
 * Makes the function that posts a task once and returns what follows. Where the
 * fault is ours the delivery is released: no attempt is counted, nothing gives
 * way to newer events, and the endpoint's health stays as it is.
 */
export function createPoster ({ attempt, openSecret, policy, timeoutMs, metrics, ownFaults, signal, log }: PosterOptions) {
  return async function post (task: Task): Promise<Result> {
    const startedAt = Date.now()
    try {
      const url = task.url ?? task.target.url
      const headers = headersOf(task, Math.floor(startedAt / 1000))
      const outcome = await attempt({ url, headers, body: task.body, timeoutMs, signal })
      log.debug({ webhookId: task.target.id, eventId: task.messageId, attempt: task.attempt, status: outcome.status, errorClass: outcome.errorClass }, 'delivery: attempted')
      const attempted = { startedAt, outcome, pausedUntil: isEndOfJobUrl(task, outcome) ? undefined : pausedUntil(outcome, policy) }
      metrics.attempted(task, attempted)
      ownFaults.over()
      const verdict = judge(outcome, task.attempt, policy)
      return { verdict, chain: outcome.ok || isGone(outcome) ? 'flows' : 'fails', attempt: attempted }
    } catch (err) {
      if (signal.aborted) return handedBack()
      return handedBack({ dueAt: ownFaults.note(err, task.target.id) })
    }
  }

  function headersOf ({ target, messageId, body, attempt }: Task, timestampSeconds: number): Record<string, string> {
    const { secrets, headers } = unsealed(target)
    return {
      ...headers,
      'content-type': 'application/json',
      'user-agent': `Tidings/${VERSION}`,
      ...signedHeaders({ id: messageId, timestampSeconds, body, secrets }),
      'webhook-attempt': String(attempt)
    }
  }

  function unsealed ({ ciphertexts, headers, sealed_headers: sealedHeaders }: Target) {
    try {
      return { secrets: ciphertexts.map(openSecret), headers: openHeaders({ headers, sealedHeaders }, openSecret) }
    } catch (err) {
      throw new OwnFault('secret', 'No key opens the signing secret, or the headers', err)
    }
  }
}

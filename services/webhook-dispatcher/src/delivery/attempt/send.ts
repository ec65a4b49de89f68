import type { FastifyBaseLogger } from 'fastify'
import type { Attempter } from '../../egress/attempt.ts'
import { OwnFault } from '../../egress/own-fault.ts'
import { signedHeaders } from './signed-headers.ts'
import { VERSION } from '../../version.ts'
import { openHeaders } from '../../webhooks/own-headers.ts'
import type { OwnFaults } from './own-faults.ts'
import { released, type Attempt, type Result, type Target, type Task } from './task.ts'
import { isEndOfJobUrl, isGone, decide, pausedUntil, type RetryPolicy } from './retry-policy.ts'

type SenderOptions = {
  attempt: Attempter
  openSecret: (ciphertext: string) => string
  policy: RetryPolicy
  timeoutMs: number
  metrics: { attempted: (task: Task, attempt: Attempt) => void }
  ownFaults: OwnFaults
  signal: AbortSignal
  log: FastifyBaseLogger
}

/**
 * Makes the function that posts a task once and returns what follows. Where the
 * fault is ours the delivery is released: no attempt is counted, nothing gives
 * way to newer events, and the endpoint's health stays as it is.
 */
export function createSender ({ attempt, openSecret, policy, timeoutMs, metrics, ownFaults, signal, log }: SenderOptions) {
  return async function send (task: Task): Promise<Result> {
    const startedAt = Date.now()
    try {
      const url = task.url ?? task.target.url
      const headers = headersOf(task, Math.floor(startedAt / 1000))
      const outcome = await attempt({ url, headers, body: task.body, timeoutMs, signal })
      log.debug({ webhookId: task.target.id, eventId: task.messageId, attempt: task.attempt, status: outcome.status, errorClass: outcome.errorClass }, 'delivery: attempted')
      const attempted = { startedAt, outcome, pausedUntil: isEndOfJobUrl(task, outcome) ? undefined : pausedUntil(outcome, policy) }
      metrics.attempted(task, attempted)
      ownFaults.clear()
      const decision = decide(outcome, task.attempt, policy)
      return { decision, keyState: outcome.ok || isGone(outcome) ? 'clear' : 'failing', attempt: attempted }
    } catch (err) {
      if (signal.aborted) return released()
      return released({ dueAt: ownFaults.record(err, task.target.id) })
    }
  }

  function headersOf ({ target, messageId, body, attempt }: Task, timestampSeconds: number): Record<string, string> {
    const { secrets, headers } = decrypted(target)
    return {
      ...headers,
      'content-type': 'application/json',
      'user-agent': `Tidings/${VERSION}`,
      ...signedHeaders({ id: messageId, timestampSeconds, body, secrets }),
      'webhook-attempt': String(attempt)
    }
  }

  function decrypted ({ ciphertexts, headers, sealed_headers: sealedHeaders }: Target) {
    try {
      return { secrets: ciphertexts.map(openSecret), headers: openHeaders({ headers, sealedHeaders }, openSecret) }
    } catch (err) {
      throw new OwnFault('secret', 'No key opens the signing secret, or the headers', err)
    }
  }
}

import type { FastifyBaseLogger } from 'fastify'
import { VERSION } from '@tidings/service-kit'
import type { Attempter } from '../../egress/attempt.ts'
import { OwnFault } from '../../egress/own-fault.ts'
import { openHeaders } from '../../webhooks/own-headers.ts'
import type { OwnFaults } from './own-faults.ts'
import { decide, isEndOfJobUrl, isGone, pausedUntil, type RetryPolicy } from './retry-policy.ts'
import { signedHeaders } from './signed-headers.ts'
import { released, type Attempt, type Result, type Target, type Task } from './task.ts'

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
 * Makes the function that sends a task once and returns its result. Where the
 * fault is ours the delivery is released: no attempt is counted, newer events
 * supersede nothing, and the endpoint's health stays as it is.
 */
export function createSender (options: SenderOptions) {
  const { attempt, openSecret, policy, timeoutMs, metrics, ownFaults, signal, log } = options

  return async function send (task: Task): Promise<Result> {
    const startedAt = Date.now()
    try {
      const url = task.url ?? task.target.url
      const headers = headersOf(task, Math.floor(startedAt / 1000))
      const outcome = await attempt({ url, headers, body: task.body, timeoutMs, signal })
      logAttempt(task, outcome)
      const pause = isEndOfJobUrl(task, outcome) ? undefined : pausedUntil(outcome, policy)
      const attempted = { startedAt, outcome, pausedUntil: pause }
      metrics.attempted(task, attempted)
      ownFaults.clear()
      const keyState = outcome.ok || isGone(outcome) ? 'clear' : 'failing'
      return { decision: decide(outcome, task.attempt, policy), keyState, attempt: attempted }
    } catch (err) {
      if (signal.aborted) return released()
      return released({ dueAt: ownFaults.record(err, task.target.id) })
    }
  }

  function logAttempt ({ target, messageId, attempt }: Task, { status, errorClass }: Attempt['outcome']): void {
    log.debug({ webhookId: target.id, eventId: messageId, attempt, status, errorClass }, 'delivery: attempted')
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
      throw new OwnFault('secret', 'No key decrypts the signing secret, or the headers', err)
    }
  }
}

import { sleep } from '../sleep.ts'
import { webhookHeaders } from './sign.ts'

/** As the dispatcher: for the whole response. */
const TIMEOUT_MS = 10_000
/** Pauses between attempts, as the dispatcher has them by default. */
const RETRIES_MS = [1000, 10_000, 60_000]
/** A receiver that is not running is asked again after this, for as long as it takes. */
const ABSENT_MS = 1000

export interface Forwarded {
  attempt: number
  /** Of the response; undefined where there was none. */
  status: number | undefined
  error: string | undefined
  ms: number
}

interface ForwardOptions {
  url: string
  secret: string
  headers: Record<string, string>
  /** Try again where the receiver fails, as production does; else it is reported, and the next event comes. */
  retry: boolean
  signal: AbortSignal
  onAttempt: (forwarded: Forwarded) => void
  /** Nothing listens at the address: called once, then it is waited for. */
  onAbsent: () => void
}

/** Makes the function that posts an event until the receiver took it, or its attempts are used up. */
export function createForwarder (options: ForwardOptions) {
  const { url, secret, headers, retry, signal, onAttempt, onAbsent } = options

  async function post (id: string, body: string, attempt: number): Promise<Forwarded & { isAbsent: boolean }> {
    const started = performance.now()
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const ms = () => Math.round(performance.now() - started)
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: withHeaders(headers, webhookHeaders({ id, body, secret, attempt })),
        body,
        signal: AbortSignal.any([signal, timeout])
      })
      await response.body?.cancel()
      return { attempt, status: response.status, error: undefined, ms: ms(), isAbsent: false }
    } catch (err) {
      signal.throwIfAborted()
      const { code, message } = ((err as Error).cause ?? err) as NodeJS.ErrnoException
      const error = timeout.aborted ? `no response within ${TIMEOUT_MS / 1000} s` : message || code || 'no response'
      return { attempt, status: undefined, error, ms: ms(), isAbsent: code === 'ECONNREFUSED' }
    }
  }

  return async function forward (id: string, body: string): Promise<void> {
    let wasAbsent = false
    for (let attempt = 1; ;) {
      const { isAbsent, ...forwarded } = await post(id, body, attempt)
      if (isAbsent) { // no attempt: a developer's server is being started again
        if (!wasAbsent) onAbsent()
        wasAbsent = true
        await sleep(ABSENT_MS, signal)
        continue
      }
      onAttempt(forwarded)
      const { status = 0 } = forwarded
      const pause = RETRIES_MS[attempt - 1]
      if ((status >= 200 && status < 300) || status === 410 || !retry || pause === undefined) return
      attempt++
      await sleep(pause, signal)
    }
  }
}

/** Those of the webhook replace the user's own of the same name, in whatever case that is written. */
function withHeaders (own: Record<string, string>, ofWebhook: Record<string, string>): Headers {
  const headers = new Headers(own)
  for (const [name, value] of Object.entries(ofWebhook)) headers.set(name, value)
  return headers
}

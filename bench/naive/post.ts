import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Webhook } from './webhooks.ts'

const TRIES = 3
const TIMEOUT_MS = 10_000
const FIRST_PAUSE_MS = 1_000

/** Sends one request and returns the status. */
type Send = (url: string, headers: Record<string, string>, body: string, signal: AbortSignal) => Promise<number>

export const postWithFetch = retried(async (url, headers, body, signal) => {
  const response = await fetch(url, { method: 'POST', headers, body, signal })
  await response.body?.cancel()
  return response.status
})

/** Three tries of ten seconds each; a request that still fails is logged. */
export function retried (send: Send) {
  return async function post (webhook: Webhook, body: string): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (await succeeds(send, webhook, body)) return
      if (attempt < TRIES) await sleep(FIRST_PAUSE_MS * attempt)
    }
    console.error(`webhook ${webhook.id}: ${webhook.url} failed ${TRIES} times`)
  }
}

async function succeeds (send: Send, { url, secret }: Webhook, body: string): Promise<boolean> {
  const headers = {
    'content-type': 'application/json',
    'webhook-signature': createHmac('sha256', secret).update(body).digest('hex')
  }
  try {
    const status = await send(url, headers, body, AbortSignal.timeout(TIMEOUT_MS))
    return status >= 200 && status < 300
  } catch {
    return false
  }
}

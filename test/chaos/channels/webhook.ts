import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import type { CreatedWebhook, WebhookList, WebhookPayload } from '@tidings/contracts'
import { startReceiver, type ReceivedRequest, type TestContext } from '@tidings/testing'
import { valueOfPayload } from '../check/values.ts'
import type { Rest } from '../load/rest.ts'
import { note, type Received } from './recorder.ts'

const DRIP_MS = 500

/** How a receiver treats requests. Of those that it does not answer with 2xx it keeps nothing. */
export type ReceiverMode = 'healthy' | 'hangs' | 'drips' | 'resets' | 'flaps'

export interface WebhookRecorder {
  channel: 'webhook'
  user: string
  received: Map<string, Received[]>
  faults: { doubled: string[], reordered: string[], wrong: string[] }
  /** Requests whose webhook-id had been received before. */
  readonly repeated: number
  setMode: (mode: ReceiverMode) => void
  /** Refuses connections until `open`. */
  close: () => Promise<void>
  open: () => Promise<void>
}

interface WebhookOptions { user: string, rest: Rest }

/** A receiver of all events of a user, as a careful one is: it verifies signatures and drops ids that it knows. */
export async function openWebhook (t: TestContext, { user, rest }: WebhookOptions): Promise<WebhookRecorder> {
  let mode: ReceiverMode = 'healthy'
  let turn = 0
  let repeated = 0
  const bodies = new Map<string, string>()
  const hanging = new Set<ServerResponse>()
  const received = new Map<string, Received[]>()
  const faults: WebhookRecorder['faults'] = { doubled: [], reordered: [], wrong: [] }

  const receiver = await startReceiver(t)
  const { body: { id, secret } } = await rest<CreatedWebhook>('/webhooks', {
    body: { url: receiver.url, eventType: 'all' }, expected: [201]
  })
  // A request that was sent again after a timeout has created a second one, with another secret.
  const { body: { webhooks } } = await rest<WebhookList>('/webhooks')
  for (const other of webhooks.filter(webhook => webhook.id !== id)) {
    await rest(`/webhooks/${other.id}`, { method: 'DELETE', expected: [204, 404] })
  }
  const verifier = new Webhook(secret)
  receiver.handle(async (request, response) => {
    receiver.requests.length = 0 // kept here in a shorter form
    switch (mode) {
      case 'hangs':
        hanging.add(response)
        return undefined
      case 'resets':
        response.destroy()
        return undefined
      case 'flaps':
        if (turn++ % 2 === 0) return 503
        break
      case 'drips': // the status decides
        keep(request)
        await drip(response)
        return undefined
      default:
    }
    keep(request)
    return 200
  })

  const isDripping = () => mode === 'drips'
  async function drip (response: ServerResponse): Promise<void> {
    response.writeHead(200)
    for (; isDripping() && !response.destroyed; await sleep(DRIP_MS)) response.write('.')
    response.end()
  }

  function keep ({ headers, body, json }: ReceivedRequest): void {
    const id = String(headers['webhook-id'])
    const payload = json as WebhookPayload & Record<string, unknown>
    const line = `webhook of ${user}: ${payload.eventType} ${id} of job ${payload.id}`
    try {
      verifier.verify(body, headers as Record<string, string>)
    } catch (err) {
      faults.wrong.push(`${line}: ${(err as Error).message}`)
    }
    if (String(payload.userId) !== user) faults.wrong.push(`${line}, of user ${String(payload.userId)}`)
    const before = bodies.get(id)
    if (before !== undefined) {
      repeated++
      if (before !== body) faults.wrong.push(`${line} has another body than before`)
      return
    }
    bodies.set(id, body)
    note(received, payload.id, { eventId: id, type: payload.eventType, value: valueOfPayload(payload) })
  }

  return {
    channel: 'webhook',
    user,
    received,
    faults,
    get repeated () { return repeated },
    setMode: changed => {
      mode = changed
      if (mode === 'hangs') return
      for (const response of hanging) response.destroy()
      hanging.clear()
    },
    close: receiver.stop,
    open: receiver.start
  }
}

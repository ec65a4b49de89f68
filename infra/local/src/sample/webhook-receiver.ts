import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { WebhookPayload } from '@tidings/contracts'

/** A webhook with a valid signature. */
export interface VerifiedWebhook { eventId: string, payload: WebhookPayload }

export interface WebhookReceiver {
  url: string
  /** Sets the secret that POST /webhooks returned. Without it nothing is accepted. */
  expectSecret: (secret: string) => void
  close: () => Promise<void>
}

/** A receiver as users write it: it reads the raw body, verifies the signature and responds. */
export async function startWebhookReceiver (onWebhook: (webhook: VerifiedWebhook) => void): Promise<WebhookReceiver> {
  let verifier: Webhook | undefined
  const server = createServer((request, response) => {
    readBody(request).then(body => {
      if (verifier === undefined) throw new Error('no secret yet')
      const payload = verifier.verify(body, request.headers as Record<string, string>) as WebhookPayload
      onWebhook({ eventId: String(request.headers['webhook-id']), payload })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"received":true}')
    }).catch((err: Error) => response.writeHead(400).end(err.message))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    expectSecret: secret => { verifier = new Webhook(secret) },
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}

async function readBody (request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

import type { AddressInfo } from 'node:net'
import type { WebhookPayload } from 'tidings/webhooks'
import { buildApp } from './app.ts'

const { PORT = '3000', WEBHOOK_SECRET } = process.env

try {
  if (!WEBHOOK_SECRET) throw new Error('WEBHOOK_SECRET is missing: the secret (whsec_…) that POST /webhooks returned')
  start(WEBHOOK_SECRET)
} catch (error) {
  fail(error as Error)
}

function start (secret: string) {
  const server = buildApp({ secret, handle: print }).listen(Number(PORT), error => {
    if (error) fail(error)
    console.log(`Waiting for webhooks at http://localhost:${(server.address() as AddressInfo).port}/webhook`)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => server.close())
}

function print (event: WebhookPayload) {
  switch (event.eventType) {
    case 'progress':
      console.log(`Job ${event.id} progress:`, event.progress)
      break
    case 'completed':
      console.log(`Job ${event.id} completed:`, event.result)
      break
    case 'failed':
      console.log(`Job ${event.id} failed:`, event.error)
      break
  }
}

function fail (error: Error) {
  console.error(`express-receiver: ${error.message}`)
  process.exit(1)
}

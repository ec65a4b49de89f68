import express from 'express'
import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { oncePerId } from './once-per-id.ts'

// A result travels with up to 64 KiB; this leaves room for what JSON makes of it.
const MAX_BODY = '1mb'

// 100 seconds of 100 events each: longer than the retries of a delivery take (1 s, 10 s, 60 s).
const IDS_REMEMBERED = 10_000

/**
 * What a webhook tells; `id` is the job's, the event's own is the header `webhook-id`. What is larger than 64 KiB is
 * flagged as truncated: progress and results are null then, of an error the beginning is there. GET /jobs/:id has it whole.
 */
export type JobEvent = { id: string, jobname: string, userId: number | string } & (
  | { eventType: 'progress', progress: unknown, progressTruncated?: true }
  | { eventType: 'completed', result: unknown, resultTruncated?: true }
  | { eventType: 'failed', error: string, errorTruncated?: true }
)

interface Options {
  /** The webhook's own, `whsec_…`: what `POST /webhooks` answered. */
  secret: string
  /** Called once per event. When it throws, the answer is 500 and the event comes again. */
  handle: (event: JobEvent) => void | Promise<void>
}

/** An Express app with one route, `POST /webhook`, that handles only what Tidings has signed. */
export function buildApp ({ secret, handle }: Options) {
  const webhook = new Webhook(secret)
  const once = oncePerId(IDS_REMEMBERED)
  const app = express()
  app.disable('x-powered-by')

  // The signature is over the bytes as they came, so the body stays raw until it is verified.
  app.post('/webhook', express.raw({ type: 'application/json', limit: MAX_BODY }), verified(webhook), async (req, res) => {
    const event = parse(req)
    if (!event) {
      res.status(400).json({ error: 'the body is not a JSON object' })
      return
    }
    await once(req.get('webhook-id') as string, () => handle(event))
    res.status(200).json({ received: true })
  })

  app.use(answerErrors)
  return app
}

/** Lets through what carries a signature of this webhook that is not older than five minutes. */
function verified (webhook: Webhook): RequestHandler {
  return (req, res, next) => {
    if (!Buffer.isBuffer(req.body)) {
      res.status(415).json({ error: 'expected a body of type application/json' })
      return
    }
    try {
      webhook.verify(req.body, signatureHeaders(req), { jsonParse: false })
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error
      res.status(401).json({ error: error.message })
      return
    }
    next()
  }
}

function signatureHeaders (req: Request) {
  return Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(name => [name, req.get(name) ?? '']))
}

function parse (req: Request): JobEvent | undefined {
  try {
    const value: unknown = JSON.parse(req.body.toString())
    return typeof value === 'object' && value !== null ? value as JobEvent : undefined
  } catch {
    return undefined
  }
}

// Express knows an error handler by its four parameters.
const answerErrors: ErrorRequestHandler = (error, _req, res, _next) => {
  const status = error.status ?? 500 // express.raw has set one: 413, 415 or 400
  if (status >= 500) console.error(error)
  res.status(status).json({ error: status >= 500 ? 'the event could not be handled' : error.message })
}

import express from 'express'
import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { oncePerId } from './once-per-id.ts'

// Results have up to 64 KiB; this leaves room for their encoding in JSON.
const MAX_BODY = '1mb'

// 100 seconds of 100 events each, which is longer than the retries of a delivery (1 s, 10 s, 60 s).
const IDS_REMEMBERED = 10_000

/**
 * The body of a webhook. `id` is the id of the job; the id of the event is the header `webhook-id`. Values over 64 KiB
 * are flagged as truncated: progress and results are null then, errors are shortened. GET /jobs/:id has them in full.
 */
export type JobEvent = { id: string, jobname: string, userId: number | string } & (
  | { eventType: 'progress', progress: unknown, progressTruncated?: true }
  | { eventType: 'completed', result: unknown, resultTruncated?: true }
  | { eventType: 'failed', error: string, errorTruncated?: true }
)

interface Options {
  /** The secret of the webhook (`whsec_…`) from the response of `POST /webhooks`. */
  secret: string
  /** Called once per event. When it throws, the response is a 500 and the event is sent again. */
  handle: (event: JobEvent) => void | Promise<void>
}

/** An Express app with one route, `POST /webhook`, that handles only requests signed by Tidings. */
export function buildApp ({ secret, handle }: Options) {
  const webhook = new Webhook(secret)
  const once = oncePerId(IDS_REMEMBERED)
  const app = express()
  app.disable('x-powered-by')

  // The signature covers the bytes as they arrive, so the body stays raw until it is verified.
  app.post('/webhook', express.raw({
    type: 'application/json',
    limit: MAX_BODY
  }), verified(webhook), async (req, res) => {
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

/** Admits requests with a signature of this webhook that is not older than five minutes. */
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

// Express recognises an error handler by its four parameters.
const answerErrors: ErrorRequestHandler = (error, _req, res, _next) => {
  const status = error.status ?? 500 // set by express.raw: 413, 415 or 400
  if (status >= 500) console.error(error)
  res.status(status).json({ error: status >= 500 ? 'the event could not be handled' : error.message })
}

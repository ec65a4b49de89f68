import express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { verifyWebhook, WebhookVerificationError, type VerifiedWebhook, type WebhookPayload } from 'tidings/webhooks'
import { oncePerId } from './once-per-id.ts'

// Results have up to 64 KiB; this leaves room for their encoding in JSON.
const MAX_BODY = '1mb'

// 100 seconds of 100 events each, which is longer than the retries of a delivery (1 s, 10 s, 60 s).
const IDS_REMEMBERED = 10_000

interface Options {
  /** The secret of the webhook (`whsec_…`) from the response of `POST /webhooks`. */
  secret: string
  /** Called once per event. When it throws, the response is a 500 and the event is sent again. */
  handle: (event: WebhookPayload) => void | Promise<void>
}

/** An Express app with one route, `POST /webhook`, that handles only requests signed by Tidings. */
export function buildApp ({ secret, handle }: Options) {
  if (!/^whsec_[A-Za-z0-9+/]+=*$/.test(secret)) throw new TypeError('The secret must be whsec_ and base64')
  const once = oncePerId(IDS_REMEMBERED)
  const app = express()
  app.disable('x-powered-by')

  // The signature covers the bytes as they arrive, so the body stays raw until it is verified.
  const raw = express.raw({ type: 'application/json', limit: MAX_BODY })
  app.post('/webhook', raw, verified(secret), async (_req, res) => {
    const { eventId, payload } = res.locals.webhook as VerifiedWebhook
    await once(eventId, () => handle(payload))
    res.status(200).json({ received: true })
  })

  app.use(answerErrors)
  return app
}

/** Admits requests with a signature of this webhook that is not older than five minutes. */
function verified (secret: string): RequestHandler {
  return async (req, res, next) => {
    if (!Buffer.isBuffer(req.body)) {
      res.status(415).json({ error: 'expected a body of type application/json' })
      return
    }
    try {
      res.locals.webhook = await verifyWebhook(req.body, req.headers, secret)
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error
      res.status(error.code === 'invalid_body' ? 400 : 401).json({ error: error.message })
      return
    }
    next()
  }
}

// Express recognises an error handler by its four parameters.
const answerErrors: ErrorRequestHandler = (error, _req, res, _next) => {
  const status = error.status ?? 500 // set by express.raw: 413, 415 or 400
  if (status >= 500) console.error(error)
  res.status(status).json({ error: status >= 500 ? 'the event could not be handled' : error.message })
}

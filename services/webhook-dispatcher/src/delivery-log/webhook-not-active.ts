import createError from '@fastify/error'

/** Deliveries to a disabled webhook would be closed at once, and a test of a paused one would wait for nobody. */
export const WebhookNotActive = createError('WEBHOOK_NOT_ACTIVE', 'The webhook is %s: make it active first', 409)

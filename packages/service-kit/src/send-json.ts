import type { JsonText } from '@tidings/contracts'

type Reply = { type: (contentType: string) => Reply, send: (payload: never) => unknown }

/**
 * Sends a text that is JSON already: Fastify does not serialize a text with this content type. Returns the reply, for
 * handlers to return.
 */
export function sendJson<Sender extends object> (reply: Sender, json: JsonText): Sender {
  const sender = reply as unknown as Reply
  sender.type('application/json; charset=utf-8').send(json as never)
  return reply
}

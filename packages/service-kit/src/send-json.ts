import type { JsonText } from '@tidings/contracts'

type Reply = { type: (contentType: string) => Reply, send: (payload: never) => unknown }

/** Sends what is JSON already: Fastify leaves a text under this content type as it is. Returns the reply, for handlers to return. */
export function sendJson<Sender extends object> (reply: Sender, json: JsonText): Sender {
  const sender = reply as unknown as Reply
  sender.type('application/json; charset=utf-8').send(json as never)
  return reply
}

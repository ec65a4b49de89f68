import type { IncomingMessage } from 'node:http'
import { requestId } from '@tidings/service-kit'

const ids = new WeakMap<IncomingMessage, string>()

/** The id from the client where it is valid, else a new one: the same in the logs of the edge and of the service. */
export function requestIdOf (request: IncomingMessage): string {
  const id = ids.get(request) ?? requestId(request)
  ids.set(request, id)
  return id
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests that a client may send ahead of their answers. */
const MAX_AHEAD = 100

type Act = () => void

/**
 * Requests that come over one connection without waiting for answers (pipelining) are handled one after the other,
 * else a client would have as many at a time as it writes. One that is too many ends the connection once those before
 * it are answered.
 */
export function inTurn (handle: (request: IncomingMessage, response: ServerResponse) => void, refuse: typeof handle): typeof handle {
  const waiting = new WeakMap<Socket, Act[]>()

  return function take (request, response) {
    const { socket } = request
    const queue = waiting.get(socket)
    const isTooMany = queue !== undefined && queue.length >= MAX_AHEAD
    if (queue !== undefined && queue.length > MAX_AHEAD) return // nothing after the refusal is answered
    const act = () => {
      response.once('close', () => next(socket))
      if (isTooMany) refuse(request, response)
      else handle(request, response)
    }
    if (queue !== undefined) {
      queue.push(act)
      return
    }
    waiting.set(socket, [])
    act()
  }

  function next (socket: Socket): void {
    const act = socket.destroyed ? undefined : waiting.get(socket)?.shift()
    if (act === undefined) waiting.delete(socket)
    else act()
  }
}

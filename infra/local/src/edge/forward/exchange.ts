import {
  request as sendRequest,
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse
} from 'node:http'
import { pipeline } from 'node:stream'
import { targetOf } from '../routes.ts'
import { returnedHeaders } from './headers.ts'

const CONNECT_TIMEOUT_MS = 2_000
/** The longest time without a byte in either direction; a long poll takes at most 30 s. */
const SILENCE_MS = 60_000

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  /** The origin of the service: http://host:port */
  origin: string
  headers: Record<string, string | string[]>
  agent: Agent
  /** Headers that the edge adds to the response, names and values in turn. */
  added?: string[]
  /** Inspects the head of a response before the client gets it; true treats it as no response. */
  isRefusal?: (response: IncomingMessage) => boolean
}

export type Outcome = Failure | { kind: 'answered' | 'gone' }

export interface Failure {
  /** `unsent`: the service did nothing, and the request may be sent again. Otherwise it is unknown what it did. */
  kind: 'unsent' | 'failed' | 'late'
  error: Error
}

/**
 * Forwards a request to a service once, and streams the response back. Bodies pass through without being buffered. The
 * body of the request is not read before there is a connection, so that a request without one can be sent again.
 */
export function exchange (
  { request, response, origin, headers, agent, added = [], isRefusal = () => false }: Exchange
): Promise<Outcome> {
  return new Promise(resolve => {
    const hasBody = Number(request.headers['content-length'] ?? 0) > 0 ||
      request.headers['transfer-encoding'] !== undefined
    const { hostname, port } = new URL(origin)
    const outgoing = sendRequest({
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method: request.method,
      path: targetOf(request.url ?? '/'),
      headers,
      agent
    })
    outgoing.useChunkedEncodingByDefault = false // a request without a body stays one
    let isConnected = false
    let isAnswered = false
    const timeOut = () => outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
    let timer = setTimeout(timeOut, CONNECT_TIMEOUT_MS)

    const silence = () => {
      clearTimeout(timer)
      timer = setTimeout(() => outgoing.destroy(new ResponseLate()), SILENCE_MS)
    }
    const clientGone = () => {
      finish({ kind: 'gone' })
      outgoing.destroy()
    }
    const finish = (outcome: Outcome) => {
      clearTimeout(timer)
      response.off('close', clientGone)
      request.off('data', silence).unpipe(outgoing)
      if (isAnswered && !request.complete) { // the rest of its body is not needed
        outgoing.destroy()
        request.resume()
      }
      resolve(outcome)
    }

    response.once('close', clientGone)
    onceConnected(outgoing, () => {
      isConnected = true
      silence()
      if (!hasBody) return
      request.on('data', silence)
      request.once('end', () => addTrailers(outgoing, request))
      request.pipe(outgoing)
    })
    outgoing.on('error', error => {
      // A service may respond before it has the whole body, and stop reading it.
      if (isAnswered) {
        request.unpipe(outgoing).resume()
        return
      }
      finish(outcomeOf(error))
    })
    outgoing.on('response', incoming => {
      clearTimeout(timer)
      isAnswered = true
      if (isRefusal(incoming)) {
        incoming.resume()
        return finish({ kind: 'unsent', error: new Error(`refused with ${incoming.statusCode}`) })
      }
      response.off('close', clientGone)
      try {
        giveBack(incoming, { request, response, added }, () => finish({ kind: 'answered' }))
      } catch (error) { // Node refuses to send some headers that its parser accepts
        outgoing.destroy()
        finish({ kind: 'failed', error: error as Error })
      }
    })
    if (!hasBody) outgoing.end()
    else outgoing.flushHeaders()

    function outcomeOf (error: Error): Outcome {
      if (error instanceof ResponseLate) return { kind: 'late', error }
      if (!isConnected) return { kind: 'unsent', error }
      return { kind: SAFE.has(request.method ?? '') && !hasBody ? 'unsent' : 'failed', error }
    }
  })
}

class ResponseLate extends Error {
  constructor () {
    super(`no response within ${SILENCE_MS} ms`)
  }
}

function onceConnected (outgoing: ClientRequest, act: () => void): void {
  outgoing.once('socket', socket => {
    if (socket.connecting) socket.once('connect', act)
    else act()
  })
}

type Client = { request: IncomingMessage, response: ServerResponse, added: string[] }

function giveBack (incoming: IncomingMessage, { request, response, added }: Client, done: () => void): void {
  response.writeHead(incoming.statusCode as number, incoming.statusMessage, [
    ...returnedHeaders(incoming, request),
    ...added
  ])
  // The head of a stream must not wait for its first byte.
  if (incoming.headers['content-length'] === undefined) response.flushHeaders()
  incoming.once('end', () => addTrailers(response, incoming))
  // When one side breaks off, the other one must see it: a truncated response must not look complete.
  pipeline(incoming, response, done)
}

function addTrailers (to: ClientRequest | ServerResponse, { rawTrailers }: IncomingMessage): void {
  const pairs: [string, string][] = []
  for (let i = 0; i < rawTrailers.length; i += 2) pairs.push([rawTrailers[i] as string, rawTrailers[i + 1] as string])
  if (pairs.length > 0) to.addTrailers(pairs)
}

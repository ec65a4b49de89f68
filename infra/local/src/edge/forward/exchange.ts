import { request as sendRequest, type Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { targetOf } from '../routes.ts'
import { returnedHeaders } from './headers.ts'

const CONNECT_TIMEOUT_MS = 2_000
/** Without a byte of the request going on or of the response coming: a long poll takes 30 s at the most. */
const SILENCE_MS = 60_000

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  /** Of the service: http://host:port */
  origin: string
  headers: Record<string, string | string[]>
  agent: Agent
  /** Headers of the edge's own, names and values in turn. */
  added?: string[]
  /** Looks at the head of a response before the client gets it; true takes it for no response at all. */
  isRefusal?: (response: IncomingMessage) => boolean
}

export type Outcome = Failure | { kind: 'answered' | 'gone' }

export interface Failure {
  /** `unsent`: nothing has been done, the same request may be sent again. Else it is not known what the service did. */
  kind: 'unsent' | 'failed' | 'late'
  error: Error
}

/**
 * Sends a request on to a service, once, and the response back, both as they come. Bodies pass through and are never
 * held. Nothing of the request's body is read before there is a connection, so that a request that finds none is whole.
 */
export function exchange ({ request, response, origin, headers, agent, added = [], isRefusal = () => false }: Exchange): Promise<Outcome> {
  return new Promise(resolve => {
    const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined
    const { hostname, port } = new URL(origin)
    const outgoing = sendRequest({ host: hostname.replace(/^\[|\]$/g, ''), port, method: request.method, path: targetOf(request.url ?? '/'), headers, agent })
    outgoing.useChunkedEncodingByDefault = false // no body stays no body
    let isConnected = false
    let isAnswered = false
    let timer = setTimeout(() => outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)), CONNECT_TIMEOUT_MS)

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
      if (isAnswered && !request.complete) { // nobody wants the rest of its body
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
      // A service may respond before it has the whole body, and then read no more of it.
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
      } catch (error) { // Node takes less from us than its parser took from the service
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
  response.writeHead(incoming.statusCode as number, incoming.statusMessage, [...returnedHeaders(incoming, request), ...added])
  // The head of a stream must not wait for its first byte.
  if (incoming.headers['content-length'] === undefined) response.flushHeaders()
  incoming.once('end', () => addTrailers(response, incoming))
  // Whichever side breaks off, the other sees that: a response cut short must not look complete.
  pipeline(incoming, response, done)
}

function addTrailers (to: ClientRequest | ServerResponse, { rawTrailers }: IncomingMessage): void {
  const pairs: [string, string][] = []
  for (let i = 0; i < rawTrailers.length; i += 2) pairs.push([rawTrailers[i] as string, rawTrailers[i + 1] as string])
  if (pairs.length > 0) to.addTrailers(pairs)
}

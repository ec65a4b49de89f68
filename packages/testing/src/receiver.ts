import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from './test-context.ts'
import { until } from './until.ts'

export interface ReceivedRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
  /** As it came over the wire. */
  body: string
  /** The body parsed, or undefined when it is no JSON. */
  json: unknown
  /** When the whole request was there, in milliseconds. */
  at: number
}

/** Returns the status to answer with, or answers by itself (late, in pieces, never). */
export type ReceiverHandler =
  (request: ReceivedRequest, response: ServerResponse) => number | void | Promise<number | void>

export interface Receiver {
  url: string
  port: number
  /** In the order in which they came. */
  requests: ReceivedRequest[]
  /** Changes what happens to requests from now on. */
  handle: (handler: ReceiverHandler) => void
  /** Waits for so many requests, or until the predicate holds for all that came, and returns them. */
  waitFor: (wanted: number | ((requests: ReceivedRequest[]) => boolean), options?: {
    timeoutMs?: number,
    what?: string
  }) => Promise<ReceivedRequest[]>
  /** Refuses connections until `start`. */
  stop: () => Promise<void>
  /** Listens again on the same port. */
  start: () => Promise<void>
}

/** A real HTTP server that records what it is sent; answers 200 unless a handler says otherwise. */
export async function startReceiver (t: TestContext, handler: ReceiverHandler = () => 200): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  const server = createServer((request, response) => {
    receive(request, response).catch(err => { response.destroy(err as Error) })
  })
  async function receive (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await read(request)
    requests.push(received)
    const status = await handler(received, response)
    if (typeof status === 'number') response.writeHead(status).end()
  }

  const listen = (port: number) => new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => { server.off('error', reject); resolve() })
  })
  const stop = async () => {
    if (!server.listening) return
    const closed = new Promise<void>(resolve => { server.close(() => resolve()) })
    server.closeAllConnections()
    await closed
  }
  await listen(0)
  t.teardown(stop)
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    handle: changed => { handler = changed },
    waitFor: async (wanted, options) => {
      const enough = typeof wanted === 'number' ? () => requests.length >= wanted : () => wanted(requests)
      const what = options?.what ?? (typeof wanted === 'number' ? `${wanted} requests` : wanted.toString())
      await until(enough, { ...options, what: `${what} at the receiver` }).catch(err => {
        throw new Error(`${(err as Error).message}; ${requests.length} came`, { cause: err })
      })
      return requests
    },
    stop,
    start: () => listen(port)
  }
}

async function read (request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString()
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body,
    json: parse(body),
    at: Date.now()
  }
}

function parse (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

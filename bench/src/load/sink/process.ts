// The receiver of all webhooks: an ordinary node:http server that responds with 200, or never.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Mark } from '../mark.ts'
import { readMark } from '../mark.ts'
import { serve } from '../serve.ts'
import { createTally } from '../tally.ts'
import type { Expected } from '../tally.ts'
import { reportCount } from '../report-count.ts'

const BODY = 'ok'
const HEADERS = { 'content-type': 'text/plain', 'content-length': String(BODY.length) }
const LISTEN_BACKLOG = 4096

const tally = createTally()
const mark: Mark = { run: 0, seq: 0, job: 0, at: 0 }
const hanging = new Set<ServerResponse>()

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer(request, response, chunks.length === 1 ? chunks[0] as Buffer : Buffer.concat(chunks)))
})
server.keepAliveTimeout = 60_000

function answer (request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (request.url?.startsWith('/hang')) {
    hanging.add(response)
    response.once('close', () => hanging.delete(response))
    return
  }
  const found = readMark(body, mark)
  if (found !== undefined) tally.take(found)
  response.writeHead(200, HEADERS).end(BODY)
}

const commands = {
  /** Returns the origin. */
  listen: async () => {
    await new Promise<void>(resolve => {
      server.listen({ port: 0, host: '127.0.0.1', backlog: LISTEN_BACKLOG }, resolve)
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  expect: (expected: Expected) => tally.start(expected),
  finish: () => tally.finish(),
  /** Ends the hanging requests, as a crashing endpoint would, and returns their number. */
  release: () => {
    const released = hanging.size
    for (const response of hanging) response.destroy()
    return released
  }
}

export type SinkCommands = typeof commands

reportCount(tally)
serve(commands)

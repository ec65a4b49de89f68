import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Frame } from '../../session/frame.ts'
import type { Transport } from '../../session/transport.ts'
import { TickCork } from '../tick-cork.ts'

/** How long a browser waits before it reconnects. */
const RETRY_MS = 1000

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no'
}

/** A client that reads an event stream. The headers are sent with the first frame: until then it can be refused. */
export class SseTransport implements Transport {
  readonly kind = 'sse'
  readonly #reply: FastifyReply
  readonly #response: ServerResponse
  readonly #cork: TickCork
  readonly #sent: () => void
  #unsent = 0

  constructor (reply: FastifyReply) {
    this.#reply = reply
    this.#response = reply.raw
    this.#cork = new TickCork(reply.raw)
    this.#sent = () => { this.#unsent-- }
  }

  write (frame: Frame): void {
    this.#put(frame.block)
  }

  /** Sends a comment, so that no proxy closes a silent stream. */
  ping (): void {
    if (this.#response.headersSent && this.#response.writable) this.#put(':\n\n')
  }

  get hasStarted (): boolean {
    return this.#response.headersSent
  }

  /** Starts the stream before there is an event to send. */
  start (): void {
    this.#put(':\n\n')
  }

  get unsentBytes (): number {
    return this.#response.writableLength
  }

  get unsentPackets (): number {
    return this.#unsent
  }

  close (): void {
    this.#cork.uncork() // Node writes the end of a corked body before the body
    this.#response.end()
  }

  terminate (): void {
    this.#response.destroy()
  }

  #put (block: Buffer | string) {
    if (!this.#response.headersSent) this.#start()
    this.#cork.cork()
    this.#unsent++
    this.#response.write(block, this.#sent)
  }

  #start () {
    this.#reply.hijack()
    // Headers that hooks have set (CORS) go with Fastify's own response, which is not sent.
    this.#response.writeHead(200, { ...this.#reply.getHeaders() as Record<string, string>, ...HEADERS })
    this.#response.write(`retry: ${RETRY_MS}\n\n`)
  }
}

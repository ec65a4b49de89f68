import type { Socket } from 'node:net'

/** A response begins with these; the next three bytes are the status. */
const VERSIONS = ['HTTP/1.1 ', 'HTTP/1.0 '].map(text => Buffer.from(text))
const STATUS_AT = 9
const STATUS_BYTES = STATUS_AT + 3
const ZERO = '0'.charCodeAt(0)
const SWITCHING_PROTOCOLS = 101
/** Longer interim responses are passed on to the parser, which refuses them. */
const MAX_INTERIM_BYTES = 64 * 1024
const END_OF_HEAD = '\r\n\r\n'

export type StatusListener = { onStatus: (status: number) => void }

/**
 * Inspects what the reader of a socket (undici) receives, for facts that its parser does not report: whether a byte of
 * a response has arrived, and the status as soon as its line is complete. Interim responses (1xx) are removed: no
 * request expects one, and undici closes a connection for "100 Continue", which some servers send unasked.
 */
export class ResponseHead {
  /** Whether a byte has arrived since the request was sent. */
  hasBegun = false
  #listener: StatusListener | undefined
  #held: Buffer | undefined

  constructor (socket: Socket) {
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null
    socket.read = size => {
      const chunk = read(size)
      return chunk === null || this.#listener === undefined ? chunk : this.#look(chunk, this.#listener)
    }
  }

  /** A request is about to be sent: the next status belongs to its response. */
  await (listener: StatusListener): void {
    this.hasBegun = false
    this.#held = undefined
    this.#listener = listener
  }

  #look (chunk: Buffer, listener: StatusListener): Buffer | null {
    this.hasBegun = true
    const bytes = withoutInterim(this.#held ? Buffer.concat([this.#held, chunk]) : chunk)
    const status = statusOf(bytes)
    if (isPartial(bytes, status) && bytes.length <= MAX_INTERIM_BYTES) {
      this.#held = bytes
      return null
    }
    this.#held = undefined
    this.#listener = undefined
    if (status >= 200) listener.onStatus(status)
    return bytes
  }
}

/** Whether a status may still follow. */
function isPartial (bytes: Buffer, status: number): boolean {
  return bytes.length < STATUS_BYTES || isInterim(status)
}

function isInterim (status: number): boolean {
  return status >= 100 && status < 200 && status !== SWITCHING_PROTOCOLS
}

/** The status at the start of a response; 0 if there is none. */
function statusOf (bytes: Buffer): number {
  if (bytes.length < STATUS_BYTES || !VERSIONS.some(
    version => bytes.compare(version, 0, STATUS_AT, 0, STATUS_AT) === 0
  )) return 0
  const status = [0, 1, 2].reduce((sum, i) => 10 * sum + (bytes[STATUS_AT + i] as number) - ZERO, 0)
  return status >= 100 && status <= 999 ? status : 0
}

function withoutInterim (bytes: Buffer): Buffer {
  while (isInterim(statusOf(bytes))) {
    const end = bytes.indexOf(END_OF_HEAD)
    if (end === -1) return bytes
    bytes = bytes.subarray(end + END_OF_HEAD.length)
  }
  return bytes
}

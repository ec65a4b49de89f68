import type { Socket } from 'node:net'

const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d/
const STATUS_LINE = /^HTTP\/1\.[01] ([2-9]\d\d)/
const STATUS_BYTES = 'HTTP/1.1 200'.length
/** Interim answers that are longer than this are passed on, and refused there. */
const MAX_INTERIM_BYTES = 64 * 1024
const END_OF_HEAD = '\r\n\r\n'

/**
 * Watches what a socket's reader (undici) reads, to know what its parser does
 * not tell: whether a byte of an answer has come, and the status, as soon as
 * its line is there and whatever follows it. Interim answers (1xx) are left
 * out: nobody here waits for one, and undici ends a connection for "100
 * Continue", which some servers send without being asked.
 */
export class ResponseHead {
  /** Whether anything came since the request was sent. */
  hasBegun = false
  #onStatus: ((status: number) => void) | undefined
  #held: Buffer | undefined

  constructor (socket: Socket) {
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null
    socket.read = size => this.#pass(read(size))
  }

  /** A request is about to be sent: the next status is the one of its answer. */
  await (onStatus: (status: number) => void): void {
    this.hasBegun = false
    this.#held = undefined
    this.#onStatus = onStatus
  }

  #pass (chunk: Buffer | null): Buffer | null {
    if (chunk === null || this.#onStatus === undefined) return chunk
    this.hasBegun = true
    const bytes = this.#withoutInterim(this.#held ? Buffer.concat([this.#held, chunk]) : chunk)
    const isOver = bytes.length >= STATUS_BYTES && !isInterim(bytes)
    this.#held = isOver ? undefined : bytes
    if (!isOver) return bytes.length > MAX_INTERIM_BYTES ? this.#giveUp(bytes) : null
    const [, status] = STATUS_LINE.exec(bytes.toString('latin1', 0, STATUS_BYTES)) ?? []
    const onStatus = this.#onStatus
    this.#onStatus = undefined
    if (status) onStatus(Number(status))
    return bytes
  }

  #withoutInterim (bytes: Buffer): Buffer {
    while (isInterim(bytes)) {
      const end = bytes.indexOf(END_OF_HEAD)
      if (end === -1) return bytes
      bytes = bytes.subarray(end + END_OF_HEAD.length)
    }
    return bytes
  }

  #giveUp (bytes: Buffer): Buffer {
    this.#onStatus = undefined
    this.#held = undefined
    return bytes
  }
}

function isInterim (bytes: Buffer): boolean {
  return bytes.length >= STATUS_BYTES && INTERIM.test(bytes.toString('latin1', 0, STATUS_BYTES))
}

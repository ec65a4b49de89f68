// The part of RFC 6455 that suffices for a client that sends short texts and reads unfragmented ones.

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const OPCODE = 0x0f
const FIN = 0x80
const MASKED = 0x80
const LENGTH = 0x7f
const PONG_FRAME = Buffer.from([FIN | 0xa, MASKED, 0, 0, 0, 0])

export interface FrameHandlers {
  /** The text lies in `bytes` from `start` to `end`, which are only valid during the call. */
  onText: (bytes: Buffer, start: number, end: number) => void
  onClose: () => void
  /** A frame to send back. */
  reply: (frame: Buffer) => void
}

/** Reads the chunks of a connection and calls back for each complete frame. */
export function createFrameReader ({ onText, onClose, reply }: FrameHandlers) {
  let rest: Buffer | undefined

  return function read (chunk: Buffer): void {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (let end; (end = endOfFrame(bytes, at)) !== undefined && end.at <= bytes.length; at = end.at) {
      const opcode = (bytes[at] as number) & OPCODE
      if (opcode === TEXT) onText(bytes, end.start, end.at)
      else if (opcode === PING) reply(PONG_FRAME)
      else if (opcode === CLOSE) onClose()
    }
    rest = at === bytes.length ? undefined : bytes.subarray(at)
  }
}

/** The start of the payload and the end of the frame; undefined while the header is incomplete. */
function endOfFrame (bytes: Buffer, at: number): { start: number, at: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const length = (bytes[at + 1] as number) & LENGTH
  if (length < 126) return { start: at + 2, at: at + 2 + length }
  if (length === 126) {
    return bytes.length < at + 4 ? undefined : { start: at + 4, at: at + 4 + bytes.readUInt16BE(at + 2) }
  }
  return bytes.length < at + 10 ? undefined : { start: at + 10, at: at + 10 + Number(bytes.readBigUInt64BE(at + 2)) }
}

/** A client's text frame; its mask is zero, which leaves the text as it is. */
export function textFrame (text: string): Buffer {
  const payload = Buffer.from(text)
  const header = payload.length < 126
    ? Buffer.from([FIN | TEXT, MASKED | payload.length, 0, 0, 0, 0])
    : Buffer.from([FIN | TEXT, MASKED | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([header, payload])
}

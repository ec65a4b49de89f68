/** The last and only fragment of a text: FIN and opcode 1. */
const FINAL_TEXT = 0x81
/** Lengths up to this are in the second byte; longer ones follow it, in two or eight bytes. */
const MAX_SHORT = 125
const MAX_MEDIUM = 0xffff

/** A text as a server frame of the WebSocket protocol (RFC 6455 §5.2), unmasked and uncompressed, in one buffer. */
export function webSocketFrame (text: string): Buffer {
  const length = Buffer.byteLength(text)
  const at = length <= MAX_SHORT ? 2 : length <= MAX_MEDIUM ? 4 : 10
  const frame = Buffer.allocUnsafe(at + length)
  frame[0] = FINAL_TEXT
  if (at === 2) frame[1] = length
  else if (at === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, at)
  return frame
}

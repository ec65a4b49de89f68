/** A text that Postgres can hold: it knows no NUL. */
export function storable (text: string): string {
  return text.replaceAll('\0', '\ufffd')
}

/** The beginning of a text, at most so many bytes, never half a character. */
export function cut (text: string, bytes: number): string {
  const buffer = Buffer.from(text)
  let end = Math.min(bytes, buffer.length)
  while (end > 0 && end < buffer.length && isContinuation(buffer[end] as number)) end--
  return buffer.toString('utf8', 0, end)
}

function isContinuation (byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000
}

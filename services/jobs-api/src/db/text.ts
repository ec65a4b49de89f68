/** The start of a text: at most so many bytes, and only whole characters. */
export function truncateUtf8 (text: string, bytes: number): string {
  const buffer = Buffer.from(text)
  let end = Math.min(bytes, buffer.length)
  while (end > 0 && end < buffer.length && isContinuation(buffer[end] as number)) end--
  return buffer.toString('utf8', 0, end)
}

function isContinuation (byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LENGTH = /\r\ncontent-length: *(\d+)/i

export interface Answer { status: number, head: string, bodyStart: number, end: number }

/** The HTTP/1.1 response at the start of these bytes; undefined while it is incomplete. */
export function readAnswer (bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  const bodyStart = headEnd + HEAD_END.length
  const length = LENGTH.exec(head)?.[1]
  if (length === undefined && status !== 304 && status !== 204) {
    throw new Error(`A response without content-length:\n${head}`)
  }
  const end = bodyStart + Number(status === 304 ? 0 : length ?? 0)
  return bytes.length < end ? undefined : { status, head, bodyStart, end }
}

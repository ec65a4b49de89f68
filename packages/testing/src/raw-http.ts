import { connect, type Socket } from 'node:net'
import { parseHead, type RawHead } from './raw-head.ts'
import type { TestContext } from './test-context.ts'

/** Only there to end a test in which nothing works. */
const TIMEOUT_MS = 40_000

export interface RawResponse extends RawHead {
  body: string
  /** False when the connection ended within the body. */
  isWhole: boolean
}

export interface RawConnection {
  socket: Socket
  send: (text: string | Buffer) => void
  /** Says that nothing more comes, and goes on listening. */
  halfClose: () => void
  /** The next final response, undefined when the connection ends without one. `method` is that of its request. */
  response: (method?: string) => Promise<RawResponse | undefined>
  /** The statuses of 1xx responses that came so far. */
  interim: number[]
  /** All that came and was not taken as a response. */
  rest: () => string
  closed: Promise<void>
}

/**
 * A connection on which a test writes HTTP as it likes, and reads what really comes: no client library puts anything
 * right.
 */
export async function connectRaw (t: TestContext, origin: string): Promise<RawConnection> {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  let received = Buffer.alloc(0)
  let isEnded = false
  let wake = () => {}
  const interim: number[] = []

  socket.on('data', chunk => { received = Buffer.concat([received, chunk]); wake() })
  const closed = new Promise<void>(resolve => {
    const end = () => { isEnded = true; wake(); resolve() }
    socket.on('end', end).on('close', end).on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })

  async function until<T> (read: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const value = read()
      if (value !== undefined || isEnded) return value
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(
          new Error(`nothing more came within ${TIMEOUT_MS} ms, after ${JSON.stringify(received.toString())}`)
        ), TIMEOUT_MS)
        wake = () => { clearTimeout(timer); resolve() }
      })
    }
  }
  const take = (length: number) => {
    const taken = received.subarray(0, length)
    received = received.subarray(length)
    return taken
  }
  const takeTo = (mark: string) => {
    const at = received.indexOf(mark)
    return at < 0 ? undefined : take(at + mark.length).toString('latin1').slice(0, -mark.length)
  }

  async function response (method = 'GET'): Promise<RawResponse | undefined> {
    for (;;) {
      const text = await until(() => takeTo('\r\n\r\n'))
      if (text === undefined) return undefined
      const head = parseHead(text)
      if (head.status >= 200 || head.status === 101) return { ...head, ...await bodyOf(head, method) }
      interim.push(head.status)
    }
  }

  async function bodyOf ({ status, header }: RawHead, method: string): Promise<{ body: string, isWhole: boolean }> {
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return { body: '', isWhole: true }
    if (header('transfer-encoding') === 'chunked') return await chunkedBody()
    const length = header('content-length')
    await until(() => length !== undefined && received.length >= Number(length) ? true : undefined)
    const body = take(Number(length ?? received.length)).toString()
    return { body, isWhole: length === undefined || Buffer.byteLength(body) === Number(length) }
  }

  async function chunkedBody (): Promise<{ body: string, isWhole: boolean }> {
    const chunks: Buffer[] = []
    for (;;) {
      const line = await until(() => takeTo('\r\n'))
      const size = Number.parseInt(line ?? '', 16)
      if (size > 0) await until(() => received.length >= size + 2 ? true : undefined)
      if (Number.isNaN(size) || received.length < size) {
        return { body: Buffer.concat(chunks).toString(), isWhole: false }
      }
      if (size === 0) break
      chunks.push(take(size))
      take(2)
    }
    // Trailers, up to an empty line.
    while (await until(() => takeTo('\r\n'))) continue
    return { body: Buffer.concat(chunks).toString(), isWhole: true }
  }

  return {
    socket,
    send: text => { socket.write(text) },
    halfClose: () => { socket.end() },
    response,
    interim,
    rest: () => received.toString(),
    closed
  }
}

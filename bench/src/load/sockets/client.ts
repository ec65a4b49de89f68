import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createFrameReader, textFrame } from './frames.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==' // any 16 bytes; the response to them is not checked
const HEADER_END = '\r\n\r\n'

export interface ClientOptions {
  url: string
  /** `tidings`: Socket.IO that is ready at `session`; `socket.io`: ready at its connect packet; `ws`: when open. */
  protocol: 'tidings' | 'socket.io' | 'ws'
  /** The `auth` of Socket.IO; `ws` requests `?user=<token>`. */
  auth: { token: string, lastEventId?: string }
  /** The bytes are only valid during the call. */
  onEvent: (bytes: Buffer, start: number, end: number) => void
  onClose: () => void
}

export interface Client { end: () => void }

/** As light a client as possible: it reads frames from a TCP socket and answers pings. Resolves when it is ready. */
export async function openClient ({ url, protocol, auth, onEvent, onClose }: ClientOptions): Promise<Client> {
  const { hostname, port } = new URL(url)
  const path = protocol === 'ws' ? `/?user=${auth.token}` : '/socket.io/?EIO=4&transport=websocket'
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  const websocket =
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${websocket}\r\n`)

  return await new Promise<Client>((resolve, reject) => {
    const ready = () => resolve({ end: () => socket.destroy() })
    socket.on('error', reject)
    socket.on('close', () => {
      reject(new Error(`${url}: the connection ended before it was ready`))
      onClose()
    })
    const onText = protocol === 'ws' ? onEvent : packetReader({ socket, protocol, auth, onEvent, ready, reject })
    const read = createFrameReader({ onText, onClose: () => socket.destroy(), reply: frame => { socket.write(frame) } })
    upgrade(socket, { read, upgraded: () => { if (protocol === 'ws') ready() }, reject })
  })
}

interface Upgrade { read: (chunk: Buffer) => void, upgraded: () => void, reject: (err: Error) => void }

function upgrade (socket: Socket, { read, upgraded, reject }: Upgrade): void {
  let head = Buffer.alloc(0)
  const onHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf(HEADER_END)
    if (end === -1) return
    const status = head.toString('latin1', 0, head.indexOf('\r\n'))
    if (!status.includes(' 101 ')) {
      reject(new Error(`the upgrade was answered ${status}`))
      socket.destroy()
      return
    }
    socket.off('data', onHead)
    socket.on('data', read)
    upgraded()
    const rest = head.subarray(end + HEADER_END.length)
    if (rest.length > 0) read(rest)
  }
  socket.on('data', onHead)
}

interface Packets extends Pick<ClientOptions, 'protocol' | 'auth' | 'onEvent'> {
  socket: Socket
  ready: () => void
  reject: (err: Error) => void
}

const OPEN = 0x30 // "0", Engine.IO's handshake
const PING = 0x32 // "2"
const MESSAGE = 0x34 // "4"
const CONNECT = 0x30 // "40", Socket.IO's
const EVENT = 0x32 // "42"
const CONNECT_ERROR = 0x34 // "44"
const SESSION = '42["session"'
const PONG_FRAME = textFrame('3')

/** Reads Engine.IO's and Socket.IO's packets. */
function packetReader ({ socket, protocol, auth, onEvent, ready, reject }: Packets) {
  let isReady = false
  const becomeReady = () => {
    isReady = true
    ready()
  }
  return function onPacket (bytes: Buffer, start: number, end: number): void {
    const type = bytes[start]
    if (type === PING) socket.write(PONG_FRAME)
    else if (type === OPEN) socket.write(textFrame(`40${JSON.stringify(auth)}`))
    else if (type === MESSAGE) {
      const kind = bytes[start + 1]
      if (kind === EVENT) {
        if (!isReady && bytes.toString('latin1', start, start + SESSION.length) === SESSION) becomeReady()
        onEvent(bytes, start, end)
      } else if (kind === CONNECT && protocol === 'socket.io') becomeReady()
      else if (kind === CONNECT_ERROR) reject(new Error(`refused: ${bytes.toString('utf8', start, end)}`))
    }
  }
}

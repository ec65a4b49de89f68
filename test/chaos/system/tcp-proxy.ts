import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from '@tidings/testing'

const HOST = '127.0.0.1'
/** One direction of a link buffers no more than this; then its source is paused. */
const BUFFERED_BYTES = 1024 * 1024

/** A connection through the proxy: `near` is the client's side, `far` the server's. */
interface Link { near: Socket, far: Socket }

export interface TcpProxy {
  port: number
  /** Whether the server sees this port as the address of a client of this proxy. */
  hasFarPort: (port: number) => boolean
  /** Delays each piece of data, in both directions, by so many milliseconds. */
  delay: (ms: number) => void
  /** Nothing passes any more and nothing ends, as in a network partition; `heal` lets everything through, in order. */
  partition: () => void
  /** Resets all connections and refuses new ones. */
  cut: () => void
  /**
   * The server's side of each connection ends, and the client's side stays open and silent, as if the server's machine
   * had lost its power; new connections work. `heal` resets the silent ones.
   */
  halfOpen: () => void
  /** As `halfOpen`, but `heal` leaves the silent ones alone: only their client can find out that nobody answers. */
  vanish: () => void
  /** Lets so many bytes per second pass in each direction of a connection. */
  limit: (bytesPerSecond: number) => void
  /** Ends what was caused by the others. */
  heal: () => void
}

/**
 * Forwards connections to the first of `targets()` that accepts them: a load balancer without health checks where there
 * are several ports, a network where there is one.
 */
export async function startTcpProxy (t: TestContext, targets: () => number[]): Promise<TcpProxy> {
  const links = new Set<Link>()
  const silent = new Set<Socket>()
  const vanished = new Set<Socket>()
  let delayMs = 0
  let bytesPerSecond = Infinity
  let isPartitioned = false
  let isCut = false

  const server = createServer(near => {
    near.setNoDelay(true)
    near.on('error', () => {}) // the `close` that follows ends the link
    if (isCut) near.resetAndDestroy()
    else accept(near).catch(() => { near.resetAndDestroy() })
  })

  async function accept (near: Socket): Promise<void> {
    near.pause()
    const far = await connectToAny(targets())
    if (isCut || near.destroyed) {
      far.destroy()
      near.resetAndDestroy()
      return
    }
    const link = { near, far }
    links.add(link)
    far.on('error', () => {})
    forward(near, far)
    forward(far, near)
    near.on('close', hadError => end(link, { other: far, hadError }))
    far.on('close', hadError => end(link, { other: near, hadError }))
    if (isPartitioned) pause(link)
    else near.resume()
  }

  function end (link: Link, { other, hadError }: { other: Socket, hadError: boolean }): void {
    if (!links.delete(link)) return // half open: the client's side stays
    if (isPartitioned) silent.add(other) // the other side does not get to know it
    else if (hadError) other.resetAndDestroy()
    else other.end()
  }

  function forward (from: Socket, to: Socket): void {
    let sent = Promise.resolve()
    let buffered = 0
    let freeAt = 0
    from.on('data', (data: Buffer) => {
      if (delayMs === 0 && bytesPerSecond === Infinity && buffered === 0) {
        if (!to.write(data)) {
          from.pause()
          to.once('drain', () => { if (!isPartitioned) from.resume() })
        }
        return
      }
      const now = performance.now()
      freeAt = Math.max(freeAt, now) + data.length / bytesPerSecond * 1000
      const due = Math.max(freeAt, now + delayMs)
      buffered += data.length
      if (buffered > BUFFERED_BYTES) from.pause()
      sent = sent.then(async () => {
        await sleep(Math.max(0, due - performance.now()))
        buffered -= data.length
        to.write(data)
        if (!isPartitioned) from.resume()
      })
    })
    from.on('end', () => { sent.then(() => to.end(), () => {}) })
  }

  await new Promise<void>(resolve => { server.listen(0, HOST, resolve) })
  const { port } = server.address() as AddressInfo
  const drop = (sockets: Set<Socket>) => {
    for (const socket of sockets) socket.resetAndDestroy()
    sockets.clear()
  }
  const forgetAll = (into: Set<Socket>) => {
    for (const link of links) {
      links.delete(link)
      link.near.removeAllListeners('data')
      into.add(link.near)
      link.far.resetAndDestroy()
    }
  }
  t.teardown(() => {
    isPartitioned = false
    drop(silent)
    drop(vanished)
    for (const { near, far } of links) [near, far].forEach(socket => socket.destroy())
    server.close()
  })

  return {
    port,
    hasFarPort: port => [...links].some(({ far }) => far.localPort === port),
    delay: ms => { delayMs = ms },
    partition: () => {
      isPartitioned = true
      for (const link of links) pause(link)
    },
    cut: () => {
      isCut = true
      for (const { near, far } of links) [near, far].forEach(socket => socket.resetAndDestroy())
    },
    halfOpen: () => forgetAll(silent),
    vanish: () => forgetAll(vanished),
    limit: rate => { bytesPerSecond = rate },
    heal: () => {
      delayMs = 0
      bytesPerSecond = Infinity
      isCut = false
      isPartitioned = false
      drop(silent)
      for (const { near, far } of links) [near, far].forEach(socket => socket.resume())
    }
  }
}

function pause ({ near, far }: Link): void {
  near.pause()
  far.pause()
}

async function connectToAny (ports: number[]): Promise<Socket> {
  let cause: unknown
  for (const port of ports) {
    try {
      return await connectTo(port)
    } catch (err) {
      cause = err
    }
  }
  throw new Error('nothing accepts the connection', { cause })
}

function connectTo (port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: HOST, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => { socket.off('error', reject); resolve(socket) })
  })
}

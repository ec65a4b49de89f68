import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestContext } from '@tidings/testing'

export interface TcpProxy {
  url: string
  /** Ends all connections and refuses new ones. */
  cut: () => void
  mend: () => void
}

/** Passes bytes on to a server, or not. */
export async function startTcpProxy (t: TestContext, target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createTcpServer(client => {
    if (isCut) return client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.on('data', data => { other.write(data) })
    }
  })
  const url = await listen(t, server)
  const endAll = () => { for (const socket of sockets) socket.destroy() }
  t.teardown(endAll)
  return {
    url,
    cut: () => {
      isCut = true
      endAll()
    },
    mend: () => { isCut = false }
  }
}

export interface BufferingProxy { url: string, mend: () => void }

/**
 * A proxy that knows no WebSockets and forwards a response once it is complete. `mend`: it streams, still without
 * WebSockets.
 */
export async function startBufferingProxy (t: TestContext, target: string): Promise<BufferingProxy> {
  let isBuffering = true
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    const options = { method, headers: { ...headers, connection: 'close' } }
    const upstream = httpRequest(`${target}${url}`, options, answer => {
      const { statusCode = 502, headers } = answer
      if (!isBuffering) {
        response.writeHead(statusCode, headers)
        answer.pipe(response)
        return
      }
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => response.writeHead(statusCode, headers).end(Buffer.concat(chunks)))
      answer.on('error', () => response.destroy())
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => upstream.destroy())
    request.pipe(upstream)
  })
  server.on('upgrade', (_request, socket: Socket) => {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
  })
  const url = await listen(t, server)
  t.teardown(() => server.closeAllConnections())
  return { url, mend: () => { isBuffering = false } }
}

async function listen (t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

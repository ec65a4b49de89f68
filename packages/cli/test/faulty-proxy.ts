import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from '@tidings/testing'

interface Behaviour {
  /** Milliseconds that are added to the date. */
  skewMs?: number
  buffers?: boolean
  upgrades?: boolean
}

/** A proxy in front of an edge with the faults that proxies have. */
export async function startFaultyProxy (t: TestContext, edge: URL, behaviour: Behaviour): Promise<string> {
  const { skewMs = 0, buffers = false, upgrades = true } = behaviour
  const sockets = new Set<Socket>()
  const proxy = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url, headers } = incoming
    const asked = forward({ host: edge.hostname, port: edge.port, method, path: url, headers }, answer => {
      const date = new Date(Date.parse(answer.headers.date ?? '') + skewMs).toUTCString()
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, date })
      if (!buffers) return answer.pipe(outgoing)
      outgoing.flushHeaders()
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => outgoing.end(Buffer.concat(chunks)))
    })
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  })
  proxy.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    if (!upgrades) return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    const upstream = connect(Number(edge.port), edge.hostname, () => {
      const { method, url, rawHeaders } = incoming
      const lines = [`${method} ${url} HTTP/1.1`]
      for (let n = 0; n < rawHeaders.length; n += 2) lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`)
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [upstream, socket]) end.on('error', () => { upstream.destroy(); socket.destroy() })
  })
  proxy.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from '@tidings/testing'

export type Tunnel = { authority: string, authorization: string | undefined }

/**
 * An HTTP proxy that opens tunnels to 127.0.0.1, whatever host is requested; `refuse` returns the status of those that
 * it does not open.
 */
export async function startProxy (t: TestContext, refuse: (authority: string) => number | undefined = () => undefined) {
  const tunnels: Tunnel[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', socket => { sockets.add(socket) })
  server.on('connect', (request, client: Socket) => {
    const authority = request.url ?? ''
    tunnels.push({ authority, authorization: request.headers['proxy-authorization'] })
    const status = refuse(authority)
    if (status !== undefined) return client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno`)
    const upstream = connect(Number(authority.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels }
}

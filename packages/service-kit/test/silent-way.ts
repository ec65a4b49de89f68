import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from '@tidings/testing'

/** A way to a server whose open connections can be made silent: nothing passes, and nothing is closed. */
export async function startSilentWay (t: TestContext, target: number) {
  const sockets = new Set<Socket>()
  const silent = new Set<Socket>()
  // Half open, since a silent end does not answer that the other one has closed, either.
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    sockets.add(client)
    client.on('data', data => { if (!silent.has(client)) upstream.write(data) })
    upstream.on('data', data => { if (!silent.has(client)) client.write(data) })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      one.on('error', () => other.destroy())
      one.on('end', () => { if (!silent.has(client)) other.end() })
      one.on('close', () => { if (!silent.has(client)) other.destroy() })
    }
    t.teardown(() => { client.destroy(); upstream.destroy() })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    silence: () => { for (const socket of sockets) silent.add(socket) }
  }
}

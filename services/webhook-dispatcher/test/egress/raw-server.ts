import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { TEST_CERTIFICATE as cert, TEST_CERTIFICATE_KEY as key } from '@tidings/testing'
import type { TestContext } from '@tidings/testing'

/** A server that does with each socket what the test wants. Resolves to its port. */
export async function rawServer (
  t: TestContext, serve: (socket: Socket) => void, { secure = false, host = '127.0.0.1' } = {}
): Promise<number> {
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
    socket.resume()
  }
  const server = secure ? createTlsServer({ key, cert }, accept) : createTcpServer(accept)
  server.on('tlsClientError', () => {})
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export const onRequest = (
  answer: (socket: Socket) => void
) => (socket: Socket) => { socket.once('data', () => answer(socket)) }

/** Writes the same again and again. */
export function drip (socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 20)
  socket.on('close', () => clearInterval(timer))
}

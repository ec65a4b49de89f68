import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'

/** A TCP connection to an address. @throws the system's error, or an AbortError with the signal */
export async function dialTcp (address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: address, port, family: isIP(address), noDelay: true, keepAlive: true })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (err) {
    socket.on('error', () => {}) // reported here already
    socket.destroy()
    throw err
  }
}

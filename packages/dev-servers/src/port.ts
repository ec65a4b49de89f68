import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const LOOPBACK = '127.0.0.1'
const ATTEMPTS = 3

export class PortTakenError extends Error {
  readonly port: number

  constructor (port: number, wanted: string) {
    super(`port ${port} is taken: ${wanted} cannot listen there`)
    this.name = 'PortTakenError'
    this.port = port
  }
}

/** A port that is free at this moment. Another process may take it before the caller does. */
export async function freePort (host = LOOPBACK): Promise<number> {
  return await bindOnce(0, host)
}

/** Whether a server could listen on this port now. */
export async function isPortFree (port: number, host = LOOPBACK): Promise<boolean> {
  try {
    await bindOnce(port, host)
    return true
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw err
  }
}

/** Starts `what` on the given port, else on a free one; on another if a process has taken that meanwhile. */
export async function startOnPort<T> (
  { port, host, what }: { port: number | undefined, host: string, what: string },
  start: (port: number) => Promise<T>
): Promise<T> {
  if (port !== undefined && !await isPortFree(port, host)) throw new PortTakenError(port, what)
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? await freePort(host)
    try {
      return await start(chosen)
    } catch (err) {
      if (await isPortFree(chosen, host)) throw err
      if (port !== undefined || attempt === ATTEMPTS) throw new PortTakenError(chosen, what)
    }
  }
}

async function bindOnce (port: number, host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  await new Promise<void>(resolve => { server.close(() => resolve()) })
  return bound
}

import { io, type Socket } from 'socket.io-client'
import { until, type TestContext } from '@tidings/testing'

export type Told = { event: string, data: Record<string, unknown> }
export type SocketIoClient = Awaited<ReturnType<typeof connectSocketIo>>

type Options = { token?: string | undefined, lastEventId?: string | undefined, transports?: string[], reconnection?: boolean, extraHeaders?: Record<string, string> }

/** A Socket.IO client that notes all it is told. */
export function socketIoClient (t: TestContext, url: string, { token, lastEventId, transports = ['websocket'], reconnection = false, extraHeaders = {} }: Options): { socket: Socket, told: Told[] } {
  const socket = io(url, { auth: { token, lastEventId }, transports, reconnection, extraHeaders, forceNew: true, autoConnect: false })
  const told: Told[] = []
  socket.onAny((event: string, data: Record<string, unknown>) => { told.push({ event, data }) })
  t.teardown(() => socket.disconnect())
  return { socket, told }
}

/** The same, once it has its `session`. */
export async function connectSocketIo (t: TestContext, url: string, options: Options) {
  const { socket, told } = socketIoClient(t, url, options)
  await new Promise((resolve, reject) => {
    socket.once('session', resolve).once('connect_error', reject).connect()
  })
  return {
    socket,
    told,
    /** What came of these events, in order. */
    of: (...events: string[]) => told.filter(({ event }) => events.includes(event)).map(({ data }) => data),
    waitFor: (event: string, count = 1) => until(() => told.filter(each => each.event === event).length >= count, { what: `${count} ${event}` })
  }
}

/** The refusal of a client that must not come in. */
export async function refusalOf (t: TestContext, url: string, options: Options): Promise<Error & { data?: { code: string } }> {
  const { socket } = socketIoClient(t, url, options)
  return await new Promise(resolve => { socket.once('connect_error', resolve).connect() })
}

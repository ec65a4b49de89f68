// The limit of sockets: the ws package alone, without rooms or a protocol above it.
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { serve } from '../load/serve.ts'
import { createFlatOut } from './flat-out.ts'
import type { FanOut } from './flat-out.ts'
import { progressMessage } from './message.ts'

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 })
const socketsOf = new Map<number, WebSocket[]>()
const flatOut = createFlatOut()

server.on('connection', (socket, request) => {
  const user = Number(new URL(request.url ?? '', 'ws://x').searchParams.get('user'))
  socketsOf.set(user, [...socketsOf.get(user) ?? [], socket])
  socket.on('close', () => socketsOf.delete(user))
})

const commands = {
  listen: async () => {
    if (server.address() === null) await new Promise(resolve => server.once('listening', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  emit: async ({ run, users, ...load }: FanOut) => {
    await flatOut.run(load, seq => {
      const user = seq % users + 1
      const frame = JSON.stringify(['job:progress', progressMessage({ run, seq, user })])
      for (const socket of socketsOf.get(user) ?? []) socket.send(frame)
    })
  },
  arrived: flatOut.arrived
}

export type FanOutCommands = typeof commands

serve(commands)

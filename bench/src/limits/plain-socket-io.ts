// Socket.IO as its documentation shows it: one room per user, one emit per event.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { serve } from '../load/serve.ts'
import { createFlatOut } from './flat-out.ts'
import type { FanOut } from './flat-out.ts'
import { progressMessage } from './message.ts'

const http = createServer()
const io = new Server(http)
const flatOut = createFlatOut()

io.on('connection', socket => socket.join(`user:${socket.handshake.auth.token}`))

const commands = {
  listen: async () => {
    await new Promise<void>(resolve => { http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve) })
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  },
  emit: async ({ run, users, ...load }: FanOut) => {
    await flatOut.run(load, seq => {
      const user = seq % users + 1
      io.to(`user:${user}`).emit('job:progress', progressMessage({ run, seq, user }))
    })
  },
  arrived: flatOut.arrived
}

serve(commands)

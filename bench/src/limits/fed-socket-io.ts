// The gateway as one would write it by hand: reads the same stream, parses each event, emits it to its owner's room.
// It has no resume and no bounds.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { JOB_EVENTS_KEY, socketMessage } from '@tidings/contracts'
import { decode, entryOf } from '@tidings/job-events'
import { serve } from '../load/serve.ts'

const BLOCK_MS = 5000
/** As many as our gateway reads at a time. */
const COUNT = 500

const http = createServer()
const io = new Server(http)

io.on('connection', socket => socket.join(`user:${socket.handshake.auth.token}`))

const commands = {
  listen: async (redisUrl: string) => {
    await new Promise<void>(resolve => { http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve) })
    emitEvents(new Redis(redisUrl)).catch(err => { console.error(err) })
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  }
}

export type FedSocketIoCommands = typeof commands

async function emitEvents (redis: Redis): Promise<never> {
  let last = (await redis.xrevrange(JOB_EVENTS_KEY, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0'
  for (;;) {
    const streams = await redis.xread('COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', JOB_EVENTS_KEY, last)
    for (const entry of streams?.[0]?.[1] ?? []) {
      const event = decode(entryOf(entry))
      const message = socketMessage(event)
      if (message) io.to(`user:${event.userId}`).emit(message.event, JSON.parse(message.json))
      last = event.eventId
    }
  }
}

serve(commands)

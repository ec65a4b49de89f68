import type { Server } from 'socket.io'

interface User { userId: number | string }

/** A user's sockets join the user's room; a socket that subscribes to a job joins the job's room. */
export function acceptSockets (io: Server, verify: (token: string) => User): void {
  io.use((socket, next) => {
    try {
      socket.data = verify(socket.handshake.auth.token)
      next()
    } catch {
      next(new Error('unauthorized'))
    }
  })
  io.on('connection', async socket => {
    socket.on('subscribe:job', jobId => socket.join(`job:${jobId}`))
    socket.on('unsubscribe:job', jobId => socket.leave(`job:${jobId}`))
    await socket.join(`user:${socket.data.userId}`)
  })
}

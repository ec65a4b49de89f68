import { io } from 'socket.io-client'
import type { TestContext } from '@tidings/testing'
import { createRecorder, type Recorder } from './recorder.ts'

const AGAIN_MS = 200

export interface ChannelOptions { url: string, user: string, token: string }

/** A Socket.IO client that always reconnects, and resumes from its last event. */
export async function openSocketIo (t: TestContext, { url, user, token }: ChannelOptions): Promise<Recorder> {
  const recorder = createRecorder('socket.io', user)
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 1000,
    auth: answer => answer({ token, ...(recorder.position && { lastEventId: recorder.position }) })
  })
  let isClosed = false
  t.teardown(() => {
    isClosed = true
    socket.disconnect()
  })
  const again = () => { setTimeout(() => { if (!isClosed) socket.connect() }, AGAIN_MS) }
  // Socket.IO does not reconnect by itself after a refusal, or when the server ends the session.
  socket.on('connect_error', () => { if (!socket.active) again() })
  socket.on('disconnect', () => { if (!socket.active) again() })
  socket.onAny(recorder.take)
  await new Promise<void>(resolve => socket.once('session', () => resolve()))
  return recorder
}

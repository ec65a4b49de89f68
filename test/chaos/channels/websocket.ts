import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { TestContext } from '@tidings/testing'
import { createRecorder, type Recorder } from './recorder.ts'
import type { ChannelOptions } from './socket-io.ts'

const AGAIN_MS = 200

/** A client of `/ws` that always reconnects, and resumes from its last event. */
export async function openWebSocket (t: TestContext, { url, user, token }: ChannelOptions): Promise<Recorder> {
  const recorder = createRecorder('/ws', user)
  const closing = new AbortController()
  let socket: WebSocket
  t.teardown(() => {
    closing.abort()
    socket.terminate()
  })

  await new Promise<void>((resolve, reject) => {
    async function stayConnected (): Promise<void> {
      for (; !closing.signal.aborted; await sleep(AGAIN_MS)) {
        const query = recorder.position === undefined ? '' : `?lastEventId=${recorder.position}`
        socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`, { headers: { authorization: `Bearer ${token}` } })
        socket.on('error', () => {}) // `close` follows
        socket.on('message', (frame: Buffer) => {
          const { event, data } = JSON.parse(frame.toString()) as { event: string, data: Record<string, unknown> }
          recorder.take(event, data)
          if (event === 'session') resolve()
        })
        await new Promise(resolve => socket.once('close', resolve))
      }
    }
    stayConnected().catch(reject)
  })
  return recorder
}

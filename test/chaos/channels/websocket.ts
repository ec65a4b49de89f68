import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { TestContext } from '@tidings/testing'
import { createRecorder, SILENT_MS, type Recorder } from './recorder.ts'
import type { ChannelOptions } from './socket-io.ts'

const AGAIN_MS = 200

interface WebSocketOptions extends ChannelOptions {
  /** The longest pause between two attempts, which doubles from 200 ms up; by default it stays. */
  againMaxMs?: number
}

/** A client of `/ws` that always reconnects, and resumes from its last event. */
export async function openWebSocket (
  t: TestContext, { url, user, token, againMaxMs = AGAIN_MS }: WebSocketOptions
): Promise<Recorder> {
  const recorder = createRecorder('/ws', user)
  const closing = new AbortController()
  let socket: WebSocket
  t.teardown(() => {
    closing.abort()
    socket.terminate()
  })

  /** With jitter where it grows, as clients of a herd have it. */
  const pauseMs = (failures: number) => againMaxMs === AGAIN_MS
    ? AGAIN_MS
    : Math.min(againMaxMs, AGAIN_MS * 2 ** failures) * (0.5 + Math.random() / 2)

  await new Promise<void>((resolve, reject) => {
    async function stayConnected (): Promise<void> {
      for (let failures = 0; !closing.signal.aborted; await sleep(pauseMs(failures++))) {
        const query = recorder.position === undefined ? '' : `?lastEventId=${recorder.position}`
        socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`, { headers: { authorization: `Bearer ${token}` } })
        socket.on('error', () => {}) // `close` follows
        socket.on('message', (frame: Buffer) => {
          const { event, data } = JSON.parse(frame.toString()) as { event: string, data: Record<string, unknown> }
          recorder.take(event, data)
          if (event !== 'session') return
          failures = 0
          resolve()
        })
        const silence = setTimeout(() => socket.terminate(), SILENT_MS)
        for (const sign of ['open', 'ping', 'message']) socket.on(sign, () => silence.refresh())
        await new Promise(resolve => socket.once('close', resolve))
        clearTimeout(silence)
      }
    }
    stayConnected().catch(reject)
  })
  return recorder
}

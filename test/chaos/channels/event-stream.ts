import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from '@tidings/testing'
import { createRecorder, SILENT_MS, type Recorder } from './recorder.ts'
import type { ChannelOptions } from './socket-io.ts'

const AGAIN_MS = 200

/** A reader of `/events` that always reconnects with Last-Event-ID, as a browser does. */
export async function openEventStream (t: TestContext, { url, user, token }: ChannelOptions): Promise<Recorder> {
  const recorder = createRecorder('sse', user)
  const closing = new AbortController()
  let response: IncomingMessage | undefined
  t.teardown(() => {
    closing.abort()
    response?.destroy()
  })

  await new Promise<void>((resolve, reject) => {
    async function stayConnected (): Promise<void> {
      for (; !closing.signal.aborted; await sleep(AGAIN_MS)) {
        response = await open(`${url}/events`, {
          authorization: `Bearer ${token}`,
          accept: 'text/event-stream',
          ...(recorder.position && { 'last-event-id': recorder.position })
        }).catch(() => undefined) // the edge, or the gateway, is away
        if (response === undefined) continue
        await read(response, (event, data) => {
          recorder.take(event, data)
          if (event === 'session') resolve()
        })
      }
    }
    stayConnected().catch(reject)
  })
  return recorder
}

function open (url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false, timeout: SILENT_MS }, resolve)
    request.on('error', reject).on('timeout', () => request.destroy(new Error('silent')))
  })
}

/** Resolves when the stream has ended. */
function read (response: IncomingMessage, take: (event: string, data: Record<string, unknown>) => void): Promise<void> {
  return new Promise(resolve => {
    let rest = ''
    response.on('error', () => {}) // `close` follows
    response.on('close', resolve)
    if (response.statusCode !== 200) {
      response.resume()
      return
    }
    response.setEncoding('utf8').on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map(
          line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]
        )) as { event?: string, data?: string }
        if (fields.event && fields.data) take(fields.event, JSON.parse(fields.data) as Record<string, unknown>)
      }
    })
  })
}

import {
  addressOf, causeOf, failed, ok, PATIENCE_MS, skipped, warning, type CheckContext, type Finding
} from './finding.ts'

/** A stream whose first frame takes longer than this after its headers is held back by something. */
const HELD_MS = 3000

/** Opens the event stream and waits for its first frame, which the gateway sends at once. */
export async function checkSse (context: CheckContext): Promise<Finding> {
  if (!context.token) return skipped('needs a token')
  const done = new AbortController()
  const signal = AbortSignal.any([context.signal, done.signal, AbortSignal.timeout(PATIENCE_MS)])
  let headersAt: number | undefined
  try {
    const response = await fetch(addressOf(context, '/events'), {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${context.token}` }, signal
    })
    const type = response.headers.get('content-type') ?? ''
    if (!response.ok || !type.startsWith('text/event-stream')) {
      return failed(`${response.status} ${type}`.trim(), 'The proxy must pass /events to the gateway')
    }
    headersAt = performance.now()
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      if (!text.includes('event: session')) continue
      const ms = Math.round(performance.now() - headersAt)
      const encoding = response.headers.get('content-encoding')
      if (encoding) {
        return warning(`the stream is compressed (${encoding})`, 'Exclude text/event-stream from compression: it delays events')
      }
      return ms > HELD_MS ? warning(`the first event took ${ms} ms`, UNBUFFER) : ok(`the first event comes after ${ms} ms`)
    }
    return failed('the stream ended before its first event', 'Something between ends streams: look at its timeouts')
  } catch (err) {
    context.signal.throwIfAborted()
    return headersAt === undefined
      ? failed(`no response: ${causeOf(err)}`, UNBUFFER)
      : failed(`no event within ${PATIENCE_MS / 1000} s: something buffers the stream`, UNBUFFER)
  } finally {
    done.abort()
  }
}

const UNBUFFER = 'Turn off response buffering for /events and /jobs/*/stream (nginx: proxy_buffering off)'

/** Opens a WebSocket and waits for its session. */
export async function checkWebSocket (context: CheckContext): Promise<Finding> {
  const { WebSocket } = globalThis
  if (!WebSocket) return skipped('this Node has no WebSocket: 22 or newer has')
  if (!context.token) return skipped('needs a token')
  const started = performance.now()
  const socket = new WebSocket(
    addressOf(context, '/ws').replace(/^http/, 'ws'), ['tidings.v1', `bearer.${context.token}`]
  )
  let isOpen = false
  let timer: NodeJS.Timeout | undefined
  const abort = () => socket.close()
  context.signal.addEventListener('abort', abort, { once: true })
  try {
    return await new Promise<Finding>(resolve => {
      timer = setTimeout(() => resolve(failed(`${isOpen ? 'open, but no message' : 'not open'} within ${PATIENCE_MS / 1000} s`, PASS_UPGRADES)), PATIENCE_MS)
      socket.onopen = () => { isOpen = true }
      socket.onmessage = ({ data }) => {
        const isSession = String(data).includes('"session"')
        if (isSession) resolve(ok(`the first message comes after ${Math.round(performance.now() - started)} ms`))
      }
      socket.onerror = () => resolve(failed('the connection was refused or cut', PASS_UPGRADES))
      socket.onclose = ({ code, reason }) => resolve(failed(`closed: ${code} ${reason}`.trim(), PASS_UPGRADES))
    })
  } finally {
    clearTimeout(timer)
    context.signal.removeEventListener('abort', abort)
    socket.onerror = socket.onclose = socket.onmessage = null
    socket.close()
    context.signal.throwIfAborted()
  }
}

const PASS_UPGRADES = 'Pass the headers Upgrade and Connection for /ws and /socket.io/; clients use SSE meanwhile'

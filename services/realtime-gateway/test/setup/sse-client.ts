import { get, type IncomingMessage } from 'node:http'
import type { TestContext } from '@tidings/testing'
import { Client, Refused, type ConnectOptions } from './client.ts'

/** Reads `/events`, or a job's stream; resolves with the `session`. */
export async function connectSse (t: TestContext, url: string, {
  token, userId, lastEventId, origin, job, accept
}: ConnectOptions): Promise<Client> {
  const path = job === undefined ? '/events' : `/jobs/${encodeURIComponent(job)}/stream`
  const query = userId === undefined ? '' : `?userId=${encodeURIComponent(userId)}`
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    ...(origin !== undefined && { origin }),
    ...(accept !== undefined && { accept })
  }
  const response = await open(`${url}${path}${query}`, headers)
  const client = new Client({
    command: () => Promise.reject(new Error('An event stream takes no commands')),
    emit: () => { throw new Error('An event stream takes no commands') },
    close: () => response.destroy(),
    hang: () => response.pause(),
    read: () => response.resume()
  })
  t.teardown(client.close)
  response.on('error', () => {})
  response.on('close', () => { client.gone = true })
  if (response.statusCode !== 200) {
    response.resume()
    throw new Refused(String(response.statusCode))
  }
  await new Promise<void>((resolve, reject) => {
    response.once('close', () => reject(new Refused('closed')))
    let rest = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) if (receive(client, block)) resolve()
    })
  })
  return client
}

function open (url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, resolve).on('error', reject)
  })
}

function receive (client: Client, block: string): boolean {
  const lines = block.split('\n').map(
    line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const
  )
  const { event, data } = Object.fromEntries(lines)
  if (event === undefined || data === undefined) return false
  client.received.push({ event, data: JSON.parse(data) as Record<string, unknown> })
  return event === 'session'
}

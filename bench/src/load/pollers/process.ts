// Clients that poll: each keeps one connection, sends a request, waits for the response, sends the next one.
import { connect } from 'node:net'
import { now } from '../../clock.ts'
import { serve } from '../serve.ts'
import { readAnswer } from './responses.ts'
import type { Answer } from './responses.ts'

export interface PollerLoad {
  origin: string
  /** Sent in turn. */
  requests: { path: string, token: string, etag?: string }[]
  connections: number
  warmUpMs: number
  durationMs: number
}

export interface Polled {
  perSecond: number
  statuses: Record<number, number>
  /** Milliseconds. */
  latencies: Float32Array
}

const commands = {
  poll: async (load: PollerLoad): Promise<Polled> => {
    const requests = load.requests.map(request => Buffer.from(textOf(load.origin, request)))
    const countFrom = now() + load.warmUpMs * 1000
    const until = countFrom + load.durationMs * 1000
    const statuses: Record<number, number> = {}
    const latencies: number[] = []
    const onAnswer = (answer: Answer, askedAt: number, at: number) => {
      if (askedAt < countFrom || at > until) return
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      latencies.push((at - askedAt) / 1000)
    }
    await Promise.all(Array.from({ length: load.connections }, (_, index) => {
      const first = Math.floor(index * requests.length / load.connections)
      return keepAsking({ origin: load.origin, requests, first, until, onAnswer })
    }))
    return { perSecond: latencies.length / load.durationMs * 1000, statuses, latencies: Float32Array.from(latencies) }
  },

  /** The ETag of each response, for the next request of the same path. */
  etags: async ({ origin, requests }: Pick<PollerLoad, 'origin' | 'requests'>): Promise<(string | undefined)[]> => {
    const tags: (string | undefined)[] = []
    const onAnswer = ({ head }: Answer) => { tags.push(/\r\netag: *([^\r]+)/i.exec(head)?.[1]) }
    const texts = requests.map(request => Buffer.from(textOf(origin, request)))
    await keepAsking({ origin, requests: texts, first: 0, until: Infinity, times: requests.length, onAnswer })
    return tags
  }
}

export type PollersCommands = typeof commands

interface Asking {
  origin: string
  requests: Buffer[]
  first: number
  until: number
  times?: number
  onAnswer: (answer: Answer, askedAt: number, at: number) => void
}

async function keepAsking ({ origin, requests, first, until, times = Infinity, onAnswer }: Asking): Promise<void> {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let rest: Buffer | undefined
  let asked = 0
  let askedAt = 0
  const ask = () => {
    askedAt = now()
    socket.write(requests[(first + asked++) % requests.length] as Buffer)
  }
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', ask)
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.on('data', chunk => {
      const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
      const answer = readAnswer(bytes)
      rest = answer === undefined ? bytes : undefined
      if (answer === undefined) return
      const at = now()
      onAnswer(answer, askedAt, at)
      if (at < until && asked < times) ask()
      else socket.destroy()
    })
  })
}

function textOf (origin: string, { path, token, etag }: PollerLoad['requests'][number]): string {
  const condition = etag === undefined ? '' : `If-None-Match: ${etag}\r\n`
  return `GET ${path} HTTP/1.1\r\nHost: ${new URL(origin).host}\r\nAuthorization: Bearer ${token}\r\n${condition}\r\n`
}

serve(commands)

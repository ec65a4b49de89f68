// The limit of webhooks: undici and an HMAC in a loop; nothing is stored.
import { createHmac, randomBytes } from 'node:crypto'
import { jsonText, webhookMessage } from '@tidings/contracts'
import { Pool } from 'undici'
import { now } from '../clock.ts'
import { marked } from '../load/mark.ts'
import { serve } from '../load/serve.ts'

const CONNECTIONS = 50
const SECRET = randomBytes(24)

export interface BarePosts { origin: string, run: number, events: number, users: number }

const commands = {
  post: async ({ origin, run, events, users }: BarePosts) => {
    const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 })
    let seq = 0
    const postNext = async () => {
      while (seq < events) await post(pool, { run, seq: seq++, users })
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, postNext))
    await pool.close()
  }
}

export type BarePostsCommands = typeof commands

async function post (pool: Pool, { run, seq, users }: { run: number, seq: number, users: number }): Promise<void> {
  const job = seq % users
  const id = `${Date.now()}-${seq}`
  const timestamp = Math.floor(Date.now() / 1000)
  const body = webhookMessage({
    v: 1,
    type: 'progress',
    queue: 'bench',
    jobId: `${run}-${job}`,
    name: 'bench',
    userId: String(job + 1),
    timestamp: Date.now(),
    eventId: id,
    progress: jsonText(marked({ run, seq, job, at: now() }))
  })?.body as string
  const signature = createHmac('sha256', SECRET).update(`${id}.${timestamp}.${body}`).digest('base64')
  const { body: answer } = await pool.request({
    method: 'POST',
    path: '/',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${signature}`
    },
    body
  })
  await answer.dump()
}

serve(commands)

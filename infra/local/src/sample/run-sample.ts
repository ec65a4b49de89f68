import { setTimeout as sleep } from 'node:timers/promises'
import type { JobState, WebhookPayload } from '@tidings/contracts'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { disagreements } from './agreement.ts'
import type { Heard, Told } from './agreement.ts'
import { apiOf } from './api.ts'
import type { Api } from './api.ts'
import type { Screen } from './screen.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const FILE = 'zipcodes.csv'
const CONNECT_TIMEOUT_MS = 15_000
const JOB_TIMEOUT_MS = 120_000
/** After the end, what one channel has and another lacks may still be on its way. */
const SETTLE_TIMEOUT_MS = 20_000
const POLL_MS = 100

type ToldOfJob = Told & { jobId: string }
interface SampleOptions { origin: string, token: string, screen: Screen, signal: AbortSignal }

/** One job on a real CSV, heard by Socket.IO, polling and webhooks; rejects unless the three agree. */
export async function runSample ({ origin, token, screen, signal }: SampleOptions): Promise<void> {
  const call = apiOf(origin, token)
  // Of every job of this user: events may come before the answer to the submit does.
  const told: { socket: ToldOfJob[], webhooks: ToldOfJob[] } = { socket: [], webhooks: [] }

  const receiver = await startWebhookReceiver(({ eventId, payload }) => {
    told.webhooks.push({ jobId: payload.id, eventId, type: payload.eventType, value: valueOf(payload) })
    screen.line(`  webhook    ${describe(payload)}, signature verified, event ${eventId}`)
  })
  const socket = io(origin, { auth: { token }, reconnectionDelay: 200, forceNew: true })
  let webhookId: number | undefined
  try {
    await connected(socket)
    const webhook = await call<{ id: number, secret: string }>('POST', '/webhooks', { url: receiver.url, eventType: 'all', description: 'Sample run' })
    webhookId = webhook.id
    receiver.expectSecret(webhook.secret)
    listen(socket, told.socket, screen)

    const { jobId } = await call<{ jobId: string }>('POST', '/submit-job', { name: 'dataProcessing', data: { file: FILE } })
    screen.line(`Sample job ${jobId}: statistics over ${FILE}`)
    const polled = await pollToTheEnd(call, { jobId, screen, signal })
    const heard = () => ({ socket: told.socket.filter(isOf(jobId)), webhooks: told.webhooks.filter(isOf(jobId)), polled })
    await settle(heard, signal)
    conclude(heard(), screen)
  } finally {
    socket.disconnect()
    if (webhookId !== undefined) await call('DELETE', `/webhooks/${webhookId}`).catch((err: Error) => screen.line(err.message))
    await receiver.close()
  }
}

/** Resolves at `session`: from then on nothing of this user is missed. */
async function connected (socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Socket.IO did not connect within ${CONNECT_TIMEOUT_MS / 1000} s`)), CONNECT_TIMEOUT_MS)
    socket.once('session', () => { clearTimeout(timer); resolve() })
    socket.once('connect_error', err => { clearTimeout(timer); reject(new Error(`Socket.IO: ${err.message}`)) })
  })
}

interface JobMessage { eventId: string, jobId: string, progress?: unknown, result?: unknown, error?: string }

function listen (socket: Socket, told: ToldOfJob[], screen: Screen): void {
  for (const type of ['progress', 'completed', 'failed'] as const) {
    socket.on(`job:${type}`, (message: JobMessage) => {
      const value = { progress: message.progress, completed: message.result, failed: message.error }[type]
      told.push({ jobId: message.jobId, eventId: message.eventId, type, value })
      if (type === 'progress') screen.bar('  Socket.IO ', Number(value))
      else screen.line(`  Socket.IO  ${type}, event ${message.eventId}`)
    })
  }
}

async function pollToTheEnd (call: Api, { jobId, screen, signal }: { jobId: string, screen: Screen, signal: AbortSignal }): Promise<Heard['polled']> {
  let state: JobState | undefined
  for (const deadline = Date.now() + JOB_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS, undefined, { signal })) {
    const job = await call<Heard['polled']>('GET', `/jobs/${jobId}`)
    if (job.state !== state) screen.line(`  polling    ${job.state}`)
    state = job.state
    if (state === 'completed' || state === 'failed') return job
  }
  throw new Error(`The job is still ${state} after ${JOB_TIMEOUT_MS / 1000} s; is a worker running?`)
}

async function settle (heard: () => Heard, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; Date.now() < deadline; await sleep(POLL_MS, undefined, { signal })) {
    if (disagreements(heard()).length === 0) return
  }
}

function conclude (heard: Heard, screen: Screen): void {
  const faults = disagreements(heard)
  if (faults.length > 0) throw new Error(`The three channels disagree:\n  ${faults.join('\n  ')}`)
  if (heard.polled.state === 'failed') throw new Error(`The sample job failed: ${heard.polled.failedReason}`)
  const { rows, columns } = heard.polled.result as { rows?: number, columns?: object }
  screen.line(`The three channels agree: ${heard.socket.length} events with the same ids by Socket.IO and by webhook, the last of them ${heard.polled.lastEventId}`)
  screen.line(`in polling too, and one result in all three: ${rows} rows, ${Object.keys(columns ?? {}).length} columns.`)
}

function isOf (jobId: string) {
  return (told: ToldOfJob) => told.jobId === jobId
}

function valueOf (payload: WebhookPayload): unknown {
  return { progress: payload.progress, completed: payload.result, failed: payload.error }[payload.eventType]
}

function describe (payload: WebhookPayload): string {
  return payload.eventType === 'progress' ? `progress ${String(payload.progress)}` : payload.eventType
}

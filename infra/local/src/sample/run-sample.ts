import { setTimeout as sleep } from 'node:timers/promises'
import type { JobState, WebhookPayload } from '@tidings/contracts'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { disagreements } from './agreement.ts'
import type { ChannelReports, ReportedEvent } from './agreement.ts'
import { apiOf } from './api.ts'
import type { Api } from './api.ts'
import type { Screen } from './screen.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

const FILE = 'zipcodes.csv'
const CONNECT_TIMEOUT_MS = 15_000
const JOB_TIMEOUT_MS = 120_000
/** After the end of the job, events may still be in flight on one of the channels. */
const SETTLE_TIMEOUT_MS = 20_000
const POLL_MS = 100

type JobEvent = ReportedEvent & { jobId: string }
interface SampleOptions { origin: string, token: string, screen: Screen, signal: AbortSignal }

/** Runs one job on a real CSV file, observed over Socket.IO, polling and webhooks; rejects unless the three agree. */
export async function runSample ({ origin, token, screen, signal }: SampleOptions): Promise<void> {
  const call = apiOf(origin, token)
  // Events of all jobs of this user, since they may arrive before the response to the submission.
  const received: { socket: JobEvent[], webhooks: JobEvent[] } = { socket: [], webhooks: [] }

  const receiver = await startWebhookReceiver(({ eventId, payload }) => {
    received.webhooks.push({ jobId: payload.id, eventId, type: payload.eventType, value: valueOf(payload) })
    screen.line(`  webhook    ${describe(payload)}, signature verified, event ${eventId}`)
  })
  const socket = io(origin, { auth: { token }, reconnectionDelay: 200, forceNew: true })
  let webhookId: number | undefined
  try {
    await connected(socket)
    const settings = { url: receiver.url, eventType: 'all', description: 'Sample run' }
    const webhook = await call<{ id: number, secret: string }>('POST', '/webhooks', settings)
    webhookId = webhook.id
    receiver.expectSecret(webhook.secret)
    listen(socket, received.socket, screen)

    const job = { name: 'dataProcessing', data: { file: FILE } }
    const { jobId } = await call<{ jobId: string }>('POST', '/submit-job', job)
    screen.line(`Sample job ${jobId}: statistics over ${FILE}`)
    const polled = await pollToTheEnd(call, { jobId, screen, signal })
    const reports = () => ({
      socket: received.socket.filter(isOf(jobId)),
      webhooks: received.webhooks.filter(isOf(jobId)),
      polled
    })
    await settle(reports, signal)
    conclude(reports(), screen)
  } finally {
    socket.disconnect()
    if (webhookId !== undefined) {
      await call('DELETE', `/webhooks/${webhookId}`).catch((err: Error) => screen.line(err.message))
    }
    await receiver.close()
  }
}

/** Resolves at `session`: from then on the socket receives all events of this user. */
async function connected (socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timeOut = () => reject(new Error(`Socket.IO did not connect within ${CONNECT_TIMEOUT_MS / 1000} s`))
    const timer = setTimeout(timeOut, CONNECT_TIMEOUT_MS)
    socket.once('session', () => { clearTimeout(timer); resolve() })
    socket.once('connect_error', err => { clearTimeout(timer); reject(new Error(`Socket.IO: ${err.message}`)) })
  })
}

interface JobMessage { eventId: string, jobId: string, progress?: unknown, result?: unknown, error?: string }

function listen (socket: Socket, received: JobEvent[], screen: Screen): void {
  for (const type of ['progress', 'completed', 'failed'] as const) {
    socket.on(`job:${type}`, (message: JobMessage) => {
      const value = { progress: message.progress, completed: message.result, failed: message.error }[type]
      received.push({ jobId: message.jobId, eventId: message.eventId, type, value })
      if (type === 'progress') screen.bar('  Socket.IO ', Number(value))
      else screen.line(`  Socket.IO  ${type}, event ${message.eventId}`)
    })
  }
}

type PollOptions = { jobId: string, screen: Screen, signal: AbortSignal }

async function pollToTheEnd (call: Api, { jobId, screen, signal }: PollOptions): Promise<ChannelReports['polled']> {
  let state: JobState | undefined
  for (const deadline = Date.now() + JOB_TIMEOUT_MS; Date.now() < deadline; await sleep(
    POLL_MS,
    undefined,
    { signal }
  )) {
    const job = await call<ChannelReports['polled']>('GET', `/jobs/${jobId}`)
    if (job.state !== state) screen.line(`  polling    ${job.state}`)
    state = job.state
    if (state === 'completed' || state === 'failed') return job
  }
  throw new Error(`The job is still ${state} after ${JOB_TIMEOUT_MS / 1000} s. Is a worker running?`)
}

async function settle (reports: () => ChannelReports, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; Date.now() < deadline; await sleep(
    POLL_MS,
    undefined,
    { signal }
  )) {
    if (disagreements(reports()).length === 0) return
  }
}

function conclude (reports: ChannelReports, screen: Screen): void {
  const faults = disagreements(reports)
  if (faults.length > 0) throw new Error(`The three channels disagree:\n  ${faults.join('\n  ')}`)
  const { socket, polled } = reports
  if (polled.state === 'failed') throw new Error(`The sample job failed: ${polled.failedReason}`)
  const { rows, columns } = polled.result as { rows?: number, columns?: object }
  screen.line(`The three channels agree: ${socket.length} events with the same ids over Socket.IO and by webhook,`)
  screen.line(`the same last event (${polled.lastEventId}) and the same result in polling: ` +
    `${rows} rows, ${Object.keys(columns ?? {}).length} columns.`)
}

function isOf (jobId: string) {
  return (event: JobEvent) => event.jobId === jobId
}

function valueOf (payload: WebhookPayload): unknown {
  return { progress: payload.progress, completed: payload.result, failed: payload.error }[payload.eventType]
}

function describe (payload: WebhookPayload): string {
  return payload.eventType === 'progress' ? `progress ${String(payload.progress)}` : payload.eventType
}

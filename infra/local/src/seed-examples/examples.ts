import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../sample/api.ts'
import { substitute } from './blocks.ts'
import type { Substitution } from './blocks.ts'
import { runScript } from './run-script.ts'
import type { RunningScript } from './run-script.ts'

const TIMEOUT_MS = 60_000
const POLL_MS = 50
const DOCUMENT_ORIGIN = 'http://localhost:4000'
const DOCUMENT_PORT = 3000
const FILE = 'zipcodes.csv'
const MISSING_FILE = 'no-such-file.csv'

export interface ExampleContext {
  blocks: Map<string, string>
  origin: string
  token: string
  api: Api
  /** The port of the document's Express receiver: 3000, as in the document, unless that is taken. */
  receiverPort: number
}

type Example = (context: ExampleContext) => Promise<void>

/**
 * The three clients and the three usage examples of the document, by heading. Rejects with what an example did not do.
 */
export const examples: Record<string, Example> = {
  async 'Socket.IO Client (JavaScript)' (context) {
    const code = codeOf(context, 'Socket.IO Client (JavaScript)', [{ from: 'your_jwt_token', to: context.token }])
    await withScript(`${code}\nsocket.on('session', () => console.log('connected'))`, async script => {
      await script.writes('connected')
      const jobId = await submit(context, FILE)
      await script.writes(new RegExp(`Job ${jobId} progress: \\d+%`))
      await script.writes(`Job ${jobId} completed! {`)
      await script.writes(`Job ${await submit(context, MISSING_FILE)} failed! `)
    })
  },

  async 'REST API Client (JavaScript)' (context) {
    const jobId = await submit(context, FILE)
    // The client of the document polls only while a job is active, so it must not start earlier.
    await until(
      async () => ['active', 'completed'].includes((await jobOf(context, jobId)).state),
      `job ${jobId} to become active`
    )
    const code = codeOf(context, 'REST API Client (JavaScript)')
    await withScript(`${code}\nawait pollJobStatus('${jobId}', '${context.token}')`, async script => {
      await script.writes(/Job status: \{[^]*state: 'completed'/)
    })
  },

  async 'Webhook Receiver (Express.js)' (context) {
    const { receiverPort } = context
    const otherPort = { from: `app.listen(${DOCUMENT_PORT})`, to: `app.listen(${receiverPort})` }
    const substitutions = receiverPort === DOCUMENT_PORT ? [] : [otherPort]
    const code = codeOf(context, 'Webhook Receiver (Express.js)', substitutions)
    await withScript(code, async script => {
      await until(() => listens(receiverPort), `the receiver to listen at ${receiverPort}:\n${script.output()}`)
      await context.api('POST', '/webhooks', { url: `http://localhost:${receiverPort}/webhook`, eventType: 'all' })
      const jobId = await submit(context, FILE)
      await script.writes(new RegExp(`Job ${jobId} progress: \\d+%`))
      await script.writes(`Job ${jobId} completed: {`)
      await script.writes(`Job ${await submit(context, MISSING_FILE)} failed: `)
    })
  },

  async '1. Real-time Job Monitoring' (context) {
    await withReceiver(async receiver => {
      const code = codeOf(context, '1. Real-time Job Monitoring', [
        { from: 'data.csv', to: FILE },
        { from: 'https://myapp.com/job-webhook', to: `${receiver.url}/job-webhook` }
      ])
      await withScript(`${connectedSocket(context)}\n${code}\nconsole.log('submitted', jobId)`, async script => {
        await script.writes(/submitted \S+\n/)
        const jobId = /submitted (\S+)/.exec(script.output())?.[1]
        await script.writes(`event job:${jobId}:completed`)
        // The example adds its webhook after its job, so only the next job is certain to be delivered to it.
        const next = await submit(context, FILE)
        await receiver.gets(
          ({ body }) => body.id === next && body.eventType === 'completed',
          'the completion of the next job'
        )
      })
    })
  },

  async '2. Job Dashboard with Polling' (context) {
    const jobId = await submit(context, FILE)
    const prelude = `
      const token = '${context.token}'
      const updateJobsTable = jobs => console.log('table', jobs.map(job => job.id).join())
      const updatePagination = pagination => console.log('pagination', JSON.stringify(pagination))
      const refreshJobStatus = id => console.log('refresh', id)`
    await withScript(`${prelude}\n${codeOf(context, '2. Job Dashboard with Polling')}\nawait loadJobsDashboard()`, async script => {
      await script.writes(new RegExp(`table .*${jobId}`))
      await script.writes(/pagination \{"total":\d+,"page":1,"limit":20,"pages":\d+/)
    })
  },

  async '3. Webhook-based Integration' (context) {
    await withReceiver(async receiver => {
      const code = codeOf(context, '3. Webhook-based Integration', [
        { from: 'https://api.myapp.com/webhooks/progress', to: `${receiver.url}/progress` },
        { from: 'https://notifications.myapp.com/job-complete', to: `${receiver.url}/completed` },
        { from: 'https://alerts.myapp.com/job-failed', to: `${receiver.url}/failed` }
      ])
      await withScript(`const token = '${context.token}'\n${code}\nconsole.log('all set up')`, async script => {
        await script.writes('all set up')
        const completed = await submit(context, FILE)
        const failed = await submit(context, MISSING_FILE)
        await receiver.gets(({ path, body }) => path === '/progress' && body.id === completed, 'progress')
        await receiver.gets(({ path, body }) => path === '/completed' && body.id === completed, 'the completion')
        await receiver.gets(({ path, body }) => path === '/failed' && body.id === failed, 'the failure')
        const strays = receiver.received.filter(({ path, body }) => path !== `/${body.eventType}`)
        if (strays.length > 0) throw new Error(`A webhook got an event of another type: ${JSON.stringify(strays[0])}`)
      })
    })
  }
}

/** The code of the document with its placeholders (token, URL, file) replaced, and the port where it is not 4000. */
function codeOf ({ blocks, origin }: ExampleContext, heading: string, substitutions: Substitution[] = []): string {
  const code = blocks.get(heading)
  if (code === undefined) throw new Error(`The document has no example under "${heading}"`)
  const isElsewhere = origin !== DOCUMENT_ORIGIN && code.includes(DOCUMENT_ORIGIN)
  return substitute(code, [...substitutions, ...(isElsewhere ? [{ from: DOCUMENT_ORIGIN, to: origin }] : [])])
}

/** Defines `token` and `socket`, which the first usage example takes from the client above it. */
function connectedSocket ({ origin, token }: ExampleContext): string {
  return `
    const token = '${token}'
    const socket = require('socket.io-client')('${origin}', { auth: { token } })
    socket.onAny((event, data) => console.log('event', event, JSON.stringify(data)))
    await new Promise(resolve => socket.once('session', resolve))`
}

async function withScript (code: string, use: (script: RunningScript) => Promise<void>): Promise<void> {
  const script = runScript(code)
  try {
    await use(script)
  } finally {
    await script.stop()
  }
}

interface Received { path: string, body: { id: string, eventType: string } }

interface Receiver {
  url: string
  received: Received[]
  gets: (wanted: (request: Received) => boolean, what: string) => Promise<void>
}

async function withReceiver (use: (receiver: Receiver) => Promise<void>): Promise<void> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => {
      received.push({ path: request.url ?? '', body: JSON.parse(text) as Received['body'] })
      response.end()
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  try {
    await use({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      received,
      gets: (wanted, what) => until(() => received.some(wanted), `${what} at the receiver`)
    })
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function submit ({ api }: ExampleContext, file: string): Promise<string> {
  const { jobId } = await api<{ jobId: string }>('POST', '/submit-job', { name: 'dataProcessing', data: { file } })
  return jobId
}

async function jobOf ({ api }: ExampleContext, jobId: string): Promise<{ state: string }> {
  return await api<{ state: string }>('GET', `/jobs/${jobId}`)
}

async function listens (port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect({ host: 'localhost', port })
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

async function until (predicate: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; !await predicate(); await sleep(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`Timed out after ${TIMEOUT_MS / 1000} s waiting for ${what}`)
  }
}

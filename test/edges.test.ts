import t, { type Test } from 'tap'
import type { Job, SubmittedJob } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { serviceAddress } from './addresses.ts'
import { restClient } from './client.ts'
import { ask, type Answer } from './edges/ask.ts'
import { askForDashboard, DASHBOARD_ENV } from './edges/dashboard.ts'
import { skipWithoutCaddy, startCaddy } from './edges/caddy.ts'
import { table, type Row } from './edges/table.ts'
import { startTestSystem } from './system.ts'

const PAGE = 'https://app.example'
/** Rows in flight: most rows take milliseconds, and the streams of unknown jobs take three seconds each. */
const AT_ONCE = 12

const system = await startTestSystem(t, {
  worker: false,
  env: {
    CORS_ORIGIN: `${PAGE}/`,
    RATE_LIMIT_MAX: '100000',
    REALTIME_UNKNOWN_JOB_MS: '200',
    REALTIME_DRAIN_MS: '500',
    ...DASHBOARD_ENV
  }
})
const edges = {
  edge: (system.endpoints.edge as string).replace('localhost', '127.0.0.1'),
  ...(skipWithoutCaddy ? {} : { caddy: await startCaddy(t, system, { CORS_ORIGIN: `${PAGE}/`, ...DASHBOARD_ENV }) })
}
const token = system.token(1)
const rest = restClient(system, token)
const { body: { jobId } } = await rest<SubmittedJob>('/submit-job', { body: { name: 'dataProcessing' } })
const etag = await until(async () => {
  const { headers, body } = await rest<Job>(`/jobs/${jobId}`)
  return body.lastEventId && headers.get('etag')
})

const answers = await answersOf(table({ token, writerToken: system.token(2), jobId, etag, page: PAGE }))

t.test('the services respond to each request as the table says', async t => {
  for (const { row, service } of answers) t.equal(service.status, row.status, row.name)
})
t.test('the edge of npm start responds as the services do', async t => compare(t, 'edge'))
t.test('Caddy responds as the services do', { skip: skipWithoutCaddy }, async t => compare(t, 'caddy'))

t.test('both edges serve the dashboard', async t => {
  const own = await askForDashboard(edges.edge)
  t.match(own, {
    '/': { status: 302, location: '/dashboard/' },
    '/dashboard': { status: 302, location: '/dashboard/' },
    '/dashboard/jobs/1%2F2': { status: 200, type: 'text/html; charset=utf-8', cache: 'no-cache' },
    script: { status: 200, type: 'text/javascript; charset=utf-8', cache: /immutable/ },
    '/dashboard/assets/none.js': { status: 404, type: /problem/ }
  })
  t.match(own['/dashboard/']?.policy, /^default-src 'none'; script-src 'self'; .*frame-ancestors https:\/\/app\.example;/)
  t.match(own['/dashboard/']?.body, 'content=\'A &amp; &#34;B&#34;\'', 'variables are escaped')
  if (edges.caddy) t.same(await askForDashboard(edges.caddy), own, 'Caddy does as the edge of npm start')
})

type Answered = { row: Row, service: Answer, edge: Answer, caddy: Answer | undefined }

async function answersOf (rows: Row[]): Promise<Answered[]> {
  const answered: Answered[] = []
  const waiting = rows.entries()
  const sendNext = async () => {
    for (const [index, row] of waiting) {
      const [service, edge, caddy] = await Promise.all([
        ask(t, serviceAddress(system, row.path), row),
        ask(t, edges.edge, row),
        edges.caddy === undefined ? undefined : ask(t, edges.caddy, row)
      ])
      answered[index] = { row, service, edge, caddy }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendNext))
  return answered
}

function compare (t: Test, name: 'edge' | 'caddy') {
  for (const { row, service, [name]: edged } of answers) {
    if (edged === undefined) throw new Error(`${name} was not asked for ${row.name}`)
    const difference = row.differs?.[name]
    // A service may end a connection that its client wants to keep; an edge, which has one of its own, need not.
    const expected = service.staysOpen || row.ends ? service : { ...service, staysOpen: edged.staysOpen }
    if (difference === undefined) t.same(edged, expected, row.name)
    else {
      t.ok((difference.statuses ?? [row.status]).includes(edged.status ?? 0), `${row.name}: ${difference.reason}`, {
        status: edged.status
      })
    }
  }
}

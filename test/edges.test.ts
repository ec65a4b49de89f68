import t, { type Test } from 'tap'
import type { Job, SubmittedJob } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { serviceAddress } from './addresses.ts'
import { restClient } from './client.ts'
import { ask } from './edges/ask.ts'
import { skipWithoutCaddy, startCaddy } from './edges/caddy.ts'
import { table } from './edges/table.ts'
import { startTestSystem } from './system.ts'

const PAGE = 'https://app.example'

const system = await startTestSystem(t, { worker: false, env: { CORS_ORIGIN: `${PAGE}/`, RATE_LIMIT_MAX: '100000', REALTIME_UNKNOWN_JOB_MS: '200', REALTIME_DRAIN_MS: '500' } })
const edges = {
  edge: (system.endpoints.edge as string).replace('localhost', '127.0.0.1'),
  ...(skipWithoutCaddy ? {} : { caddy: await startCaddy(t, system, { CORS_ORIGIN: `${PAGE}/` }) })
}
const token = system.token(1)
const rest = restClient(system, token)
const { body: { jobId } } = await rest<SubmittedJob>('/submit-job', { body: { name: 'dataProcessing' } })
const etag = await until(async () => {
  const { headers, body } = await rest<Job>(`/jobs/${jobId}`)
  return body.lastEventId && headers.get('etag')
})
const rows = table({ token, writerToken: system.token(2), jobId, etag, page: PAGE })

t.test('the service and the edge of npm start answer each request alike', async t => await compare(t, 'edge'))
t.test('the service and Caddy answer each request alike', { skip: skipWithoutCaddy }, async t => await compare(t, 'caddy'))

async function compare (t: Test, edge: 'edge' | 'caddy') {
  for (const row of rows) {
    const difference = row.differs?.[edge]
    const [service, edged] = [await ask(t, serviceAddress(system, row.path), row), await ask(t, edges[edge] as string, row)]
    t.equal(service.status, row.status, `${row.name}: at the service`)
    if (!service.staysOpen && !row.ends) edged.staysOpen = false
    if (difference === undefined) t.same(edged, service, row.name)
    else t.ok((difference.statuses ?? [row.status]).includes(edged.status ?? 0), `${row.name}: ${difference.reason}`, { answered: edged.status })
  }
}

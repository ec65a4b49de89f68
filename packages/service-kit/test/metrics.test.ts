import Fastify from 'fastify'
import t from 'tap'
import { metrics, prom } from '../src/index.ts'

async function service (name: string) {
  const app = Fastify()
  app.register(metrics)
  app.get('/jobs/:id', async () => name)
  app.get('/livez', async () => 'alive')
  await app.ready()
  return app
}

t.test('requests are counted by method, route and status; those without a route under one label', async t => {
  const app = await service('a')
  t.teardown(() => app.close())
  for (const url of ['/jobs/1', '/jobs/2', '/nowhere/1', '/nowhere/2', '/livez', '/metrics']) await app.inject(url)
  const text = (await app.inject('/metrics')).body
  const counts = [...text.matchAll(/^http_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(([, labels, count]) =>
    `${labels} ${count}`)
  t.same(counts.sort(), [
    'method="GET",route="/jobs/:id",status_code="200" 2',
    'method="GET",route="none",status_code="404" 2'
  ])
  t.match(text, /^process_resident_memory_bytes \d/m)
  t.match(text, /^nodejs_eventloop_lag_seconds \d/m)
})

t.test('two apps in one process have separate registries', async t => {
  const [a, b] = [await service('a'), await service('b')]
  t.teardown(() => Promise.all([a.close(), b.close()]))
  const counter = new prom.Counter({ name: 'only_of_a_total', help: 'Of a', registers: [a.metricsRegistry] })
  counter.inc()
  t.match((await a.inject('/metrics')).body, /^only_of_a_total 1$/m)
  t.notMatch((await b.inject('/metrics')).body, /only_of_a_total/)
})

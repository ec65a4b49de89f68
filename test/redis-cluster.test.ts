import { Cluster } from 'ioredis'
import t from 'tap'
import { spawnService, startRedisCluster, TEST_SECRET, until } from '@tidings/testing'
import { startChannels } from './all-channels.ts'
import { entryOf, startServices } from './three-services.ts'

t.test('with a Cluster all channels work, also after a failover of the node that holds the stream', async t => {
  const cluster = await startRedisCluster(t, { replicas: true })
  const nodes = cluster.nodes.slice(0, 3).map(({ host, port }) => ({ host, port }))
  const connection = new Cluster(nodes, { redisOptions: { maxRetriesPerRequest: null } })
  connection.on('error', () => {})
  const runJob = await startChannels(t, { REDIS_URL: cluster.url, JOB_QUEUES: '{bull}:default' }, {
    connection,
    options: { prefix: '{bull}' }
  })
  const { jobId, result } = await runJob()
  t.same(result, { of: jobId })
  await cluster.failOver('{tidings}')
  t.ok((await runJob()).result)
  await cluster.failOver('{bull}').catch(() => {}) // the first failover moved it already where both are on one node
  t.ok((await runJob()).result)
})

t.test('a Cluster whose queues have no hash tag is refused', async t => {
  const env = {
    TOKEN_SECRET: TEST_SECRET,
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    REDIS_URL: 'redis+cluster://127.0.0.1:1',
    JOB_QUEUES: 'default'
  }
  const start = spawnService(t, { entry: entryOf('jobs-api'), env, readyUrl: 'http://127.0.0.1:1/livez' })
  await t.rejects(start, { message: /write \{bull\}:default/ })
})

t.test('with the plain URL of a Cluster node the services stay unready and name the right URL', async t => {
  const { nodes: [node] } = await startRedisCluster(t)
  const { urls } = await startServices(t, { REDIS_URL: node?.url as string })
  for (const url of Object.values(urls)) {
    const { status, faults } = await until(async () => {
      const response = await fetch(`${url}/readyz`)
      return response.status === 503 && await response.json() as { status: string, faults: Record<string, string> }
    })
    t.equal(status, 'unready')
    t.match(faults['redis-access'], /redis\+cluster:\/\//)
  }
})

import { Cluster } from 'ioredis'
import t from 'tap'
import { startRedisCluster, until } from '@tidings/testing'
import { startChannels } from './channels-of.ts'
import { startServices } from './three-services.ts'

t.test('a Cluster: all channels, over a fail-over of the node that has the stream', async t => {
  const cluster = await startRedisCluster(t, { replicas: true })
  const nodes = cluster.nodes.slice(0, 3).map(({ host, port }) => ({ host, port }))
  const connection = new Cluster(nodes, { redisOptions: { maxRetriesPerRequest: null } })
  connection.on('error', () => {})
  const runJob = await startChannels(t, { REDIS_URL: cluster.url, JOB_QUEUES: '{bull}:default' }, { connection, options: { prefix: '{bull}' } })
  const { jobId, result } = await runJob()
  t.same(result, { of: jobId })
  await cluster.failOver('{tidings}')
  t.ok((await runJob()).result)
  await cluster.failOver('{bull}').catch(() => {}) // by the first one, where both are in one node
  t.ok((await runJob()).result)
})

t.test('a Cluster whose queues have no hash tag is refused', async t => {
  await t.rejects(startServices(t, { REDIS_URL: 'redis+cluster://127.0.0.1:1', JOB_QUEUES: 'default' }), { message: /write \{bull\}:default/ })
})

t.test('a node of a Cluster behind a plain URL is not ready, and says how to write it', async t => {
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

import { freePort } from '@tidings/dev-servers'
import { Redis } from 'ioredis'
import { startRedis, type TestRedis } from './redis.ts'
import type { TestContext } from './test-context.ts'
import { until } from './until.ts'

const SLOTS = 16_384
const PRIMARIES = 3

export interface TestRedisCluster {
  /** `redis+cluster://` with all primaries. */
  url: string
  nodes: TestRedis[]
  /** Lets the replica of the slot that a key is in take over; resolves when it has. */
  failOver: (key: string) => Promise<void>
}

/** A Redis Cluster of three primaries, with a replica of each where asked for; gone with the test. */
export async function startRedisCluster (t: TestContext, { replicas = false } = {}): Promise<TestRedisCluster> {
  const nodes = await Promise.all(Array.from({ length: replicas ? PRIMARIES * 2 : PRIMARIES }, () => startNode(t)))
  const clients = nodes.map(({ server }) => server.client())
  const primaries = clients.slice(0, PRIMARIES)
  await Promise.all(primaries.map((client, i) =>
    client.call(
      'CLUSTER',
      'ADDSLOTSRANGE',
      Math.ceil(i * SLOTS / PRIMARIES),
      Math.ceil((i + 1) * SLOTS / PRIMARIES) - 1
    )))
  const [first] = clients as [Redis]
  for (const { server, busPort } of nodes.slice(1)) {
    await first.call('CLUSTER', 'MEET', server.host, server.port, busPort)
  }
  await until(() => isWhole(clients), { what: 'the nodes of the Cluster to know each other' })

  const ids = await Promise.all(primaries.map(client => client.call('CLUSTER', 'MYID') as Promise<string>))
  for (const [i, replica] of clients.slice(PRIMARIES).entries()) {
    await until(async () => await replica.call('CLUSTER', 'REPLICATE', ids[i] as string) === 'OK')
    await until(async () => (await replica.info('replication')).includes('master_link_status:up'))
  }

  return {
    url: `redis+cluster://${nodes.slice(0, PRIMARIES).map(({ server }) => `${server.host}:${server.port}`).join(',')}`,
    nodes: nodes.map(({ server }) => server),
    failOver: async key => {
      const slot = Number(await first.call('CLUSTER', 'KEYSLOT', key))
      const replica = clients[PRIMARIES + Math.floor(slot * PRIMARIES / SLOTS)]
      if (!replica) throw new Error('The Cluster has no replicas')
      await replica.call('CLUSTER', 'FAILOVER')
      await until(async () => (await replica.info('replication')).includes('role:master'))
    }
  }
}

async function startNode (t: TestContext) {
  const busPort = await freePort()
  const server = await startRedis(t, {
    settings: {
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-port': String(busPort),
      'cluster-node-timeout': '5000'
    }
  })
  return { server, busPort }
}

async function isWhole (clients: Redis[]): Promise<boolean> {
  const infos = await Promise.all(clients.map(client => client.call('CLUSTER', 'INFO') as Promise<string>))
  return infos.every(
    info => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${clients.length}`)
  )
}

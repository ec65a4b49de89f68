import type { Redis } from 'ioredis'
import { until, type TestRedis } from '@tidings/testing'
import type { ChaosSystem } from '../system/chaos-system.ts'
import { given, type Fault } from './fault.ts'

/** The stream, its histories, positions and leases are in the slot of this hash tag. */
const OURS = '{tidings}'
const KEYS_AT_A_TIME = 100
const MIGRATE_TIMEOUT_MS = 5000

interface Node {
  id: string
  server: TestRedis
  client: Redis
  isPrimary: boolean
  /** Of a replica: the id of its primary. */
  of: string
  ranges: [from: number, to: number][]
}

export const clusterFaults: Fault[] = [
  {
    name: 'cluster-failover',
    what: 'a fail-over of the node that has the stream, which its replica is asked for: it loses nothing',
    holdMs: [500, 2000],
    recovery: { since: 'start', withinMs: 15_000 },
    isAlone: true,
    needs: 'cluster',
    inject: async ({ system }) => {
      const { primary, replica } = await holders(system)
      await replica.client.call('CLUSTER', 'FAILOVER')
      await until(async () => (await replica.client.info('replication')).includes('role:master'))
      return async () => { await isReplica(primary) }
    }
  },
  {
    name: 'cluster-kill',
    what: 'SIGKILL of the node that has the stream; its replica takes over after 5 s',
    holdMs: [10_000, 14_000],
    recovery: { since: 'start', withinMs: 30_000 },
    losesRedisData: true,
    isAlone: true,
    needs: 'cluster',
    inject: async ({ system }) => {
      const { primary } = await holders(system)
      await primary.server.kill()
      return async () => {
        await primary.server.restart()
        await isReplica(primary)
      }
    }
  },
  {
    name: 'cluster-move-slot',
    what: 'the slot of the stream moves to another node, key by key, and back',
    holdMs: [1000, 3000],
    recovery: { since: 'end', withinMs: 15_000 },
    isAlone: true,
    needs: 'cluster',
    inject: async ({ system }) => {
      const { slot, primary, primaries } = await holders(system)
      const other = primaries.find(({ id }) => id !== primary.id) as Node
      await moveSlot(slot, { from: primary, to: other, primaries })
      return async () => await moveSlot(slot, { from: other, to: primary, primaries })
    }
  }
]

/** The slot of the stream with its primary and replica. */
async function holders (system: ChaosSystem) {
  const nodes = await nodesOf(system)
  const slot = Number(await (nodes[0] as Node).client.call('CLUSTER', 'KEYSLOT', OURS))
  const primaries = nodes.filter(({ isPrimary }) => isPrimary)
  const primary = primaries.find(({ ranges }) => ranges.some(([from, to]) => from <= slot && slot <= to)) as Node
  const replica = nodes.find(({ of }) => of === primary.id) as Node
  return { slot, primary, replica, primaries }
}

async function nodesOf ({ redis: { cluster } }: ChaosSystem): Promise<Node[]> {
  return await Promise.all(given(cluster).nodes.map(async server => {
    const client = server.client({ maxRetriesPerRequest: null })
    const lines = String(await client.call('CLUSTER', 'NODES')).split('\n')
    const own = lines.find(line => line.split(' ')[2]?.includes('myself')) ?? ''
    const [id = '', , flags = '', of = '', , , , , ...slots] = own.split(' ')
    const ranges = slots.filter(text => /^\d/.test(text)).map((text): [number, number] => {
      const [from = '', to = from] = text.split('-')
      return [Number(from), Number(to)]
    })
    return { id, server, client, isPrimary: flags.includes('master'), of, ranges }
  }))
}

/** Resolves when the node replicates another one, so that the next fail-over finds a replica. */
async function isReplica ({ client }: Node): Promise<void> {
  await until(async () => (await client.info('replication')).includes('master_link_status:up'), {
    what: 'the former primary to follow its successor'
  })
}

interface Move { from: Node, to: Node, primaries: Node[] }

/** As `redis-cli --cluster reshard` moves a slot. */
async function moveSlot (slot: number, { from, to, primaries }: Move): Promise<void> {
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
  await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
  for (;;) {
    const keys = await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_A_TIME) as string[]
    if (keys.length === 0) break
    const { host, port } = to.server
    await from.client.call('MIGRATE', host, port, '', 0, MIGRATE_TIMEOUT_MS, 'KEYS', ...keys)
  }
  const others = primaries.filter(node => node !== from && node !== to)
  for (const { client } of [to, from, ...others]) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
}

import { freePort, redisExecutable, spawnServer, waitUntilReady } from '@tidings/dev-servers'
import { Redis } from 'ioredis'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRedis, type TestRedis } from './redis.ts'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { noteProcess } from './test-run.ts'
import { until } from './until.ts'

const MASTER = 'ours'
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5000

export interface TestRedisSentinel {
  /** `redis+sentinel://…/ours/0` */
  url: string
  primary: TestRedis
  replica: TestRedis
  /** The server that is the primary now, as Sentinel reports it. */
  current: () => Promise<TestRedis>
  /** Lets the replica take over; resolves when it has. */
  failOver: () => Promise<void>
  /** Resolves when the server that is not the primary replicates it, so that it could take over. */
  replicated: () => Promise<void>
}

/** A primary and a replica with one Sentinel, gone with the test. */
export async function startRedisSentinel (t: TestContext): Promise<TestRedisSentinel> {
  const primary = await startRedis(t)
  const replica = await startRedis(t, { settings: { replicaof: `${primary.host} ${primary.port}` } })
  const port = await freePort()
  const file = join(temporaryFolder(t, 'sentinel'), 'sentinel.conf')
  writeFileSync(file, [
    `port ${port}`, 'bind 127.0.0.1',
    `sentinel monitor ${MASTER} ${primary.host} ${primary.port} 1`,
    `sentinel down-after-milliseconds ${MASTER} 2000`, `sentinel failover-timeout ${MASTER} 10000`, ''
  ].join('\n'))
  const log = `${file}.log`
  const server = await spawnServer({
    name: 'Sentinel',
    command: await redisExecutable(),
    args: [
      file,
      '--sentinel'
    ],
    log,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS
  })
  noteProcess(server.process)
  t.teardown(server.stop)
  const sentinel = new Redis({ host: '127.0.0.1', port })
  sentinel.on('error', () => {})
  t.teardown(() => sentinel.disconnect())
  const knowsReplica = async () => (await sentinel.call('SENTINEL', 'REPLICAS', MASTER) as string[][]).some(
    fields => fields.join(' ').includes('master-link-status ok')
  )
  await waitUntilReady(server, {
    name: 'Sentinel',
    log,
    timeoutMs: START_TIMEOUT_MS,
    isReady: async () => await knowsReplica().catch(() => false)
  })

  const current = async () => {
    const [, portNow] = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER) as string[]
    return portNow === String(replica.port) ? replica : primary
  }

  return {
    url: `redis+sentinel://127.0.0.1:${port}/${MASTER}/0`,
    primary,
    replica,
    current,
    failOver: async () => {
      const former = await current()
      await sentinel.call('SENTINEL', 'FAILOVER', MASTER)
      await until(async () => await current() !== former, { what: 'Sentinel to promote the replica' })
    },
    replicated: async () => {
      const clients = [primary, replica].map(server => server.client())
      try {
        await until(async () => {
          const infos = await Promise.all(clients.map(async client => await client.info('replication')))
          return infos.filter(info => info.includes('role:master')).length === 1 &&
            infos.some(info => info.includes('master_link_status:up')) && await knowsReplica()
        }, { what: 'the replica to follow the primary' })
      } finally {
        for (const client of clients) client.disconnect()
      }
    }
  }
}

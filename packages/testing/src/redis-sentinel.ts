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
  /** Lets the replica take over; resolves when it has. */
  failOver: () => Promise<void>
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

  return {
    url: `redis+sentinel://127.0.0.1:${port}/${MASTER}/0`,
    primary,
    replica,
    failOver: async () => {
      await sentinel.call('SENTINEL', 'FAILOVER', MASTER)
      await until(async () =>
        (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER) as string[])[1] === String(replica.port))
    }
  }
}

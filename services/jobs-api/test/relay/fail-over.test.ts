import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf, until } from '@tidings/testing'
import { createSql } from '@tidings/service-kit'
import { relayLeaseKey } from '@tidings/contracts'
import { compareCounts } from '../../src/projector/compare-counts.ts'
import { worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { startReplica, type Replica } from '../replica.ts'
import { startServers } from '../setup.ts'
import { toldEvents } from '../told.ts'

const STEPS = 60

async function submitTo ({ url }: Replica): Promise<string> {
  const answer = await fetch(`${url}/submit-job`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(7)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'long' })
  })
  return (await answer.json() as { jobId: string }).jobId
}

const expected = ['added', 'waiting', 'active', ...Array.from({ length: STEPS }, (_, i) => `progress ${i}`), 'completed']

for (const [what, stop] of [
  ['killed', async (first: Replica) => { await first.kill('SIGKILL') }],
  ['frozen', async (first: Replica) => {
    first.process.kill('SIGSTOP')
    await sleep(2500) // longer than a lease, so that the other one takes over
    first.process.kill('SIGCONT')
  }]
] as const) {
  t.test(`the replica that relays and projects is ${what} in the middle of a job: each event is told once, in order`, async t => {
    const { redis, env, database } = await startServers(t)
    const client = redis.client()
    const first = await startReplica(t, env)
    await until(() => client.exists(relayLeaseKey('default')))
    const holder = await client.get(relayLeaseKey('default'))
    const second = await startReplica(t, env)

    worker(t, redis, async job => {
      for (let i = 0; i < STEPS; i++) {
        await job.updateProgress(i)
        await sleep(20)
      }
    })
    await submitTo(second)
    await until(async () => (await toldEvents(client)).length > 20)
    await stop(first)
    await untilStates(database.sql, ['completed'], 15_000)
    t.not(await client.get(relayLeaseKey('default')), holder, 'the other one took over')

    const told = (await toldEvents(client)).map(({ type, progress }) => type === 'progress' ? `progress ${String(progress)}` : type)
    t.same(told, expected)
    const sql = createSql(database.url, { max: 1 })
    t.same(await compareCounts(sql), [])
    await sql.end()
  })
}

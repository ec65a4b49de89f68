import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf, until } from '@tidings/testing'
import { createSql } from '@tidings/service-kit'
import { relayLeaseKey } from '@tidings/contracts'
import { compareCounts } from '../../src/maintenance/compare-counts.ts'
import { worker } from '../bullmq.ts'
import { untilStates } from '../job-rows.ts'
import { startReplica, type Replica } from '../replica.ts'
import { startServers } from '../setup.ts'
import { publishedEvents } from '../published-events.ts'

const STEPS = 100
const expected = [
  'added', 'waiting', 'active', ...Array.from({ length: STEPS }, (_, i) => `progress ${i}`), 'completed'
]

const { redis, env, database } = await startServers(t)
const client = redis.client()
// A lease that a slow machine renews in time: it would pass to and fro before anything fails.
const settings = { ...env, LEASE_MS: '2000', LOG_LEVEL: 'info' }
// One fails in each test, and one is left.
const replicas = await Promise.all([startReplica(t, settings), startReplica(t, settings), startReplica(t, settings)])
const holder = async () => await client.get(relayLeaseKey('default'))

worker(t, redis, async job => {
  for (let i = 0; i < STEPS; i++) {
    await job.updateProgress(i)
    await sleep(20)
  }
})

/** The replica that relays. */
async function relaying (): Promise<Replica> {
  return await until(() => replicas.find(({ process, output }) =>
    process.signalCode === null && /lease: (\w+)/.exec(linesAbout(output(), relayLeaseKey('default')).at(-1) ?? '')?.[
      1
    ] === 'taken'))
}

const linesAbout = (output: string, key: string) => output.split('\n').filter(line => line.includes(`"key":"${key}"`))

async function submitTo ({ url }: Replica): Promise<string> {
  const answer = await fetch(`${url}/submit-job`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(7)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'long' })
  })
  return (await answer.json() as { jobId: string }).jobId
}

async function typesOf (jobId: string): Promise<string[]> {
  const found = (await publishedEvents(client)).filter(event => event.jobId === jobId)
  return found.map(({ type, progress }) => type === 'progress' ? `progress ${String(progress)}` : type)
}

for (const [i, what, stop, end] of [
  [1, 'killed', async (fallen: Replica) => { await fallen.kill('SIGKILL') }, () => {}],
  [2, 'frozen', (fallen: Replica) => { fallen.process.kill('SIGSTOP') }, (fallen: Replica) => {
    fallen.process.kill('SIGCONT')
  }]
] as const) {
  t.test(`events are published once, in order, while the leading replica is ${what}`, async t => {
    const fallen = await relaying()
    const before = await holder()
    const jobId = await submitTo(replicas.find(one => one !== fallen && one.process.signalCode === null) as Replica)
    await until(async () => (await typesOf(jobId)).length > 20)
    await stop(fallen)
    await until(async () => ![null, before].includes(await holder()), { what: 'another one to take over' })
    end(fallen) // if it was only frozen it continues beside its successor

    await untilStates(database.sql, Array.from({ length: i }, () => 'completed'))
    t.same(await typesOf(jobId), expected)
    const sql = createSql(database.url, { max: 1 })
    t.same(await compareCounts(sql), [])
    await sql.end()
  })
}

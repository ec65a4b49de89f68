import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { until } from '@tidings/testing'
import { compareCounts } from '../../src/projector/compare-counts.ts'
import { setup } from '../setup.ts'
import { openBenches, outcomeOf, QUEUES, separateIds, TRANSITIONS } from './system.ts'

/** Long enough for what a row does before it is compared as silent, on a slow machine too. */
const SILENT_MS = 4000

t.test('docs/bullmq.md lists each transition, with what is published', async t => {
  const text = await readFile(new URL('../../../../docs/bullmq.md', import.meta.url), 'utf8')
  for (const { name, expected } of TRANSITIONS) {
    const row = text.split('\n').find(line => line.startsWith(`| ${name} |`))
    const published = Object.entries(expected).map(([label, events]) => label === 'job' ? `\`${events}\`` : `${label} \`${events}\``)
    t.ok(row?.endsWith(`| ${published.join(', ')} |`), name)
  }
})

t.test('each transition of BullMQ publishes what docs/bullmq.md says', async t => {
  const { app, redis } = await setup(t, { JOB_QUEUES: QUEUES.join(','), RECONCILE_SILENT_MS: String(SILENT_MS), RECONCILE_INTERVAL_MS: '500' })
  await separateIds(app)
  const benchOf = openBenches(t, redis, app)
  const done = await Promise.all(TRANSITIONS.map(async transition => {
    const ids = await transition.run(benchOf(transition)).catch((err: Error) => err)
    return { transition, ids }
  }))
  const ran = done.flatMap(({ transition, ids }) => ids instanceof Error ? [] : [{ transition, ids }])
  for (const { transition, ids } of done) if (ids instanceof Error) t.fail(`${transition.name}: ${ids.message}`)
  const open = new Set(ran)
  await until(async () => {
    for (const one of open) if (isDeepStrictEqual(await outcomeOf(app, one.transition, one.ids), one.transition.expected)) open.delete(one)
    return open.size === 0
  }, { intervalMs: 500 }).catch(() => {}) // the comparisons below say what is wrong
  for (const { transition, ids } of open) t.same(await outcomeOf(app, transition, ids), transition.expected, transition.name)

  const since = Date.now() + SILENT_MS
  await until(async () => (await app.sql`select 1 from jobs.jobs where state < 3 and looked_ms < ${since}`).length === 0)
  for (const { transition, ids } of ran) t.same(await outcomeOf(app, transition, ids), transition.expected, transition.name)
  t.same(await compareCounts(app.sql), [])
})

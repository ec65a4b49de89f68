import { readFile } from 'node:fs/promises'
import t from 'tap'
import { setup } from '../setup.ts'
import { openBenches } from './benches.ts'
import { checkOutcomes, settings, type Ran } from './outcomes.ts'
import { QUEUES, separateIds, TRANSITIONS } from './table.ts'

t.test('docs/bullmq.md lists each transition with its published events', async t => {
  const text = await readFile(new URL('../../../../docs/bullmq.md', import.meta.url), 'utf8')
  for (const { name, expected } of TRANSITIONS) {
    const row = text.split('\n').find(line => line.startsWith(`| ${name} |`))
    const published = Object.entries(expected).map(
      ([label, events]) => label === 'job' ? `\`${events}\`` : `${label} \`${events}\``
    )
    t.ok(row?.endsWith(`| ${published.join(', ')} |`), name)
  }
})

t.test('each transition of BullMQ publishes the events of docs/bullmq.md', async t => {
  const { app, redis } = await setup(t, settings(QUEUES))
  await separateIds(app)
  const benchOf = openBenches(t, redis, app)
  const ran = await Promise.all(TRANSITIONS.map(
    async (transition): Promise<Ran> => ({ transition, ids: await transition.run(benchOf(transition)) })
  ))
  await checkOutcomes(t, app, ran)
})

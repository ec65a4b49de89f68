import t from 'tap'
import { openSpec, type Outcome } from './quint.ts'

/** `SAMPLES=100` runs a hundred times as many. */
const SAMPLES = Number(process.env.SAMPLES ?? 1)
const SEED = Number(process.env.SEED ?? 1)
/** A violation is found within a few hundred, mostly in the first. */
const MOST_UNTIL_FOUND = 5000
const STEPS = 50

const spec = await openSpec('specs/variants.qnt')

const simulate = async (main: string, samples: number): Promise<Outcome> =>
  await spec.simulate(main, { seed: SEED, samples, steps: STEPS })

for (const [main, samples] of Object.entries({
  publicationAsDesigned: 50, publicationWithoutLeases: 25, resumeAsDesigned: 150, deliveriesAsDesigned: 60
})) {
  t.test(`${main} is safe in all states that were reached`, async t => {
    const { status, repeat } = await simulate(main, samples * SAMPLES)
    t.equal(status, 'ok', repeat)
  })
}

for (const main of spec.modules.filter(name => name.startsWith('broken'))) {
  t.test(`${main} is not safe`, async t => {
    const { status, repeat } = await simulate(main, MOST_UNTIL_FOUND)
    t.equal(status, 'violation', repeat)
  })
}

t.test('once nothing fails any more, all entries are published', async t => {
  for (const main of ['publicationAsDesigned', 'publicationWithoutLeases']) {
    t.ok(await spec.passes(main, { seed: SEED, samples: 15 * SAMPLES }), main)
  }
})

t.test('a relay that repeats a refused batch forever is safe, and gets stuck', async t => {
  const { status, repeat } = await simulate('stuckAfterRefusal', 20)
  t.equal(status, 'ok', repeat)
  t.notOk(await spec.passes('stuckAfterRefusal', { seed: SEED, samples: MOST_UNTIL_FOUND }))
})

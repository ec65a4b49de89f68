import t from 'tap'
import { until } from '@tidings/testing'
import { boundedMeasure } from '../src/index.ts'

t.test('a measurement that fails or takes too long is NaN, and no second one is started while it waits', async t => {
  const measure = boundedMeasure(20)
  const first = Promise.withResolvers<number>()
  let asked = 0
  const query = async () => { asked++; return await first.promise }
  t.same(await Promise.all([measure('slow', query), measure('slow', query)]), [NaN, NaN])
  t.equal(asked, 1)
  t.equal(await measure('other', async () => 7), 7)
  t.same(await measure('broken', async () => { throw new Error('away') }), NaN)

  first.resolve(3)
  t.equal(await measure('slow', query), 3, 'what was measured meanwhile')
  t.equal(await measure('slow', async () => 4), 4, 'then it is measured again')
})

t.test('a measurement that never ends is made again after a while', async t => {
  const measure = boundedMeasure(1, 20)
  let asked = 0
  const query = async () => ++asked === 1 ? await new Promise<never>(() => {}) : 5
  t.same(await measure('lost', query), NaN)
  await until(async () => await measure('lost', query) === 5)
  t.equal(asked, 2)
})

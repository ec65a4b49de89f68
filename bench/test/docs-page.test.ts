import t from 'tap'
import { withFigures } from '../src/docs-page.ts'
import type { Figures } from '../src/docs-page.ts'

const figures: Figures = {
  measuredAt: '2026-01-02T03:04:05.000Z',
  seconds: 500,
  machine: { text: '2 × a CPU', commit: 'abc1234' },
  rows: [{ scenario: '1', what: 'sustained', unit: 'events/s', ours: [10] }],
  broken: []
}
const page = 'before\n<!-- figures: written by npm run bench -- --docs -->\nold\n<!-- /figures -->\nafter\n'

t.test('only the text between the marks is replaced, however often', async t => {
  const once = withFigures(page, figures)
  t.match(once, /^before\n<!--/)
  t.match(once, /<!-- \/figures -->\nafter\n$/)
  t.notMatch(once, /old/)
  t.match(once, /Measured 2026-01-02 at commit abc1234 in 500 s on 2 × a CPU/)
  t.equal(withFigures(once, figures), once)
})

t.test('a broken promise is printed on the page', async t => {
  const broken = ['burst: 3 events never arrived at webhooks']
  t.match(withFigures(page, { ...figures, broken }), /\*\*burst: 3 events never arrived at webhooks\*\*/)
})

t.test('a page without its marks is refused', async t => {
  t.throws(() => withFigures('nothing', figures), /no place for figures/)
})

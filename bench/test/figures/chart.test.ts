import t from 'tap'
import { chart } from '../../src/figures/chart.ts'
import type { Row } from '../../src/figures/row.ts'

const row = (more: Partial<Row>): Row => ({
  scenario: 's',
  what: 'polls',
  unit: '/s',
  ours: [4, 4],
  peer: { name: 'a < b', values: [2, 2] },
  ...more
})

t.test('draws each ratio as a bar with its figure', async t => {
  const svg = chart([row({ limit: { name: 'raw', values: [8, 8] } })])
  t.match(svg, />polls ÷ a &lt; b</)
  t.match(svg, />2×<\/text>\n?/)
  t.match(svg, />0\.5×<\/text>\n?/)
  t.equal(svg.match(/<rect /g)?.length, 3, 'two bars and the background')
})

t.test('draws no bar where there is no ratio', async t => {
  const svg = chart([
    row({ ours: [0], peer: { name: 'naive', values: [100] } }),
    row({ ours: [5], peer: { name: 'naive', values: [0] } })
  ])
  t.equal(svg.match(/<rect /g)?.length, 1)
})

t.test('every coordinate is a finite number', async t => {
  t.notMatch(chart([row({ goal: { of: 'peer', atLeast: 3 } })]), /NaN|Infinity|undefined/)
})

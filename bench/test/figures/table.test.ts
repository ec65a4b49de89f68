import t from 'tap'
import { asMarkdown, asText, cells } from '../../src/figures/table.ts'
import type { Row } from '../../src/figures/row.ts'

const sustained: Row = {
  scenario: '1 sustained',
  what: 'events/s on all channels',
  unit: 'events/s',
  ours: [10_000, 11_000, 12_500],
  peer: { name: 'naive', values: [2000, 2000, 2500] },
  goal: { of: 'peer', atLeast: 5 },
  load: { name: 'sockets', percent: 71.4 }
}

t.test('a row shows medians, ratios by pairs, the goal, the verdict and the busiest load', async t => {
  const [, row] = cells([sustained])
  t.same(row, [
    '1 sustained', 'events/s on all channels', '11,000 events/s (10,000–12,500)', 'naive: 2,000 events/s', '',
    '5× (5–5.5)', '', '≥ 5× peer', 'yes', 'sockets 71 %'
  ])
})

t.test('a ratio to zero is left out', async t => {
  const [, row] = cells([
    { ...sustained, ours: [0], peer: { name: 'naive', values: [0] }, goal: { of: 'ours', atMost: 0 } }
  ])
  t.equal(row?.[5], '')
  t.equal(row?.[7], '≤ 0')
})

t.test('text columns are as wide as their widest cell', async t => {
  t.equal(asText([['a', 'bb'], ['ccc', 'd']]), 'a    bb\nccc  d')
})

t.test('escapes vertical bars in Markdown cells', async t => {
  t.equal(asMarkdown([['a', 'b'], ['x|y', 'z']]), '| a | b |\n| --- | --- |\n| x\\|y | z |')
})

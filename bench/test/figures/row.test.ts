import t from 'tap'
import { isMet, judged } from '../../src/figures/row.ts'
import type { Row } from '../../src/figures/row.ts'

const row = (more: Partial<Row>): Row => ({ scenario: 's', what: 'w', unit: 'events/s', ours: [10, 12, 11], ...more })
const peer = { name: 'naive', values: [5, 5, 5] }

t.test('the median of the ratios decides whether a goal is met', async t => {
  t.equal(isMet(row({ peer, goal: { of: 'peer', atLeast: 2.2 } })), true)
  t.equal(isMet(row({ peer, goal: { of: 'peer', atLeast: 2.3 } })), false)
  t.equal(isMet(row({ peer, goal: { of: 'peer', atMost: 2.2 } })), true)
})

t.test('a goal for our own figure needs no peer', async t => {
  t.equal(isMet(row({ ours: [0, 0], goal: { of: 'ours', atMost: 0 } })), true)
  t.equal(isMet(row({ ours: [0, 3, 3], goal: { of: 'ours', atMost: 0 } })), false)
})

t.test('a limit is compared like a peer', async t => {
  t.same(judged(row({ limit: { name: 'ws', values: [20, 24, 22] }, goal: { of: 'limit', atLeast: 0.5 } })), {
    median: 0.5,
    min: 0.5,
    max: 0.5
  })
})

t.test('without a goal, or without the other half, there is no verdict', async t => {
  t.equal(isMet(row({ peer })), undefined)
  t.equal(isMet(row({ goal: { of: 'peer', atLeast: 1 } })), undefined)
})

import t from 'tap'
import { attemptsText } from '../src/job-text.ts'

t.test('attempts beyond those that were submitted are shown beside the plan', async t => {
  t.equal(attemptsText({ made: 2, max: 3 }), '2 of 3')
  t.equal(attemptsText({ made: 1, max: 1 }), '1 of 1')
  t.equal(attemptsText({ made: 2, max: 1 }), '2 (1 planned)')
})

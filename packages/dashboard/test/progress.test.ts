import t from 'tap'
import { pointsOf } from '../src/jobs/progress-points.ts'

t.test('progress is drawn by its percentages, with a gap between two attempts', async t => {
  const progress = [
    { timestamp: 1, progress: 50 }, { timestamp: 2, progress: { percent: 120 } }, { timestamp: 3, progress: 'half' },
    { timestamp: 6, progress: { progress: 7, of: 'files' } }
  ]
  t.same(pointsOf(progress, [{ started: 0 }, { started: 5 }]), [
    { timestamp: 1, percent: 50 }, { timestamp: 2, percent: 100 }, { timestamp: 5, percent: null },
    { timestamp: 6, percent: 7 }
  ])
  t.same(pointsOf([], []), [])
})

import t from 'tap'
import { growths } from './growth.ts'

const excess = (values: number[], name: string, jobs = values.map((_, n) => (n + 1) * 100)) =>
  growths(values.map(value => ({ [name]: value })), jobs).filter(({ isTooMuch }) => isTooMuch).length

t.test('what stays, or varies, has not grown', async t => {
  t.equal(excess([90, 120, 100, 110, 95, 105], 'edge: MB of memory'), 0)
  t.equal(excess([40, 45, 41, 44, 46, 45], 'edge: descriptors'), 0)
})

t.test('memory, descriptors and keys that grow are found', async t => {
  t.equal(excess([100, 120, 140, 160, 180, 200], 'edge: MB of memory'), 1)
  t.equal(excess([40, 50, 60, 70, 80, 90], 'edge: descriptors'), 1)
  t.equal(excess([1000, 2000, 3000, 4000, 5000, 6000], 'Redis: keys'), 1)
})

t.test('rows that are kept may grow with the jobs, and no faster', async t => {
  t.equal(excess([100, 200, 300, 400, 500, 600], 'Postgres: rows of jobs.jobs'), 0)
  t.equal(excess([100, 200, 400, 800, 1600, 3200], 'Postgres: rows of jobs.jobs'), 1)
})

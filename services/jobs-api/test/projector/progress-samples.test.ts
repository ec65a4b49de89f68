import t from 'tap'
import type { JsonText, PublishedJobEvent } from '@tidings/contracts'
import { applyBatch, type KnownRow } from '../../src/projector/apply-batch.ts'
import { newJob } from '../../src/projector/apply-event.ts'
import { MAX_SAMPLES, strideOf } from '../../src/projector/progress-samples.ts'

const START = 1_640_995_200_000

const eventAt = (ms: number, fields: Partial<PublishedJobEvent> = {}): PublishedJobEvent => ({
  v: 1,
  type: 'progress',
  queue: 'q',
  jobId: 'a',
  name: 'n',
  userId: '7',
  timestamp: START + ms,
  eventId: `1-${ms}`,
  progress: String(ms) as JsonText,
  ...fields
})

const row = (): KnownRow => ({
  ...newJob(eventAt(0)), state: 2, n: 1, queue: 'q', id: 'a', generationMs: 0, generationSeq: 0
})

type Sample = [number: number, timestamp: number, progress?: unknown]

/** Applies events in batches of a size, as a projector does; returns the samples, and how often they became a line. */
function project (events: PublishedJobEvent[], size: number) {
  const samples: Sample[] = []
  let known = row()
  let lines = 0
  for (let i = 0; i < events.length; i += size) {
    const [job] = applyBatch(events.slice(i, i + size), [known])
    if (!job) throw new Error('no job')
    known = { ...known, ...job.after }
    samples.push(...JSON.parse(`[${job.samples ?? ''}]`) as Sample[])
    if (job.carrier) lines++
  }
  return { samples, lines, count: known.progressCount }
}

const every = (ms: number, count: number) => Array.from({ length: count }, (_, i) => eventAt(i * ms))

t.test('all progress is sampled that is a tenth of a second apart, up to 200', async t => {
  for (const size of [1, 7, 500]) {
    const { samples, count } = project(every(100, MAX_SAMPLES), size)
    t.same(samples, Array.from({ length: MAX_SAMPLES }, (_, i) => [i, START + i * 100, i * 100]))
    t.equal(count, MAX_SAMPLES)
  }
})

t.test('of the progress in a tenth of a second the first is sampled', async t => {
  const { samples } = project(every(30, 10), 3)
  t.same(samples.map(([, , progress]) => progress), [0, 120, 210])
})

t.test('later samples are twice as far apart with each doubling, and those that are read are among them', async t => {
  const { samples, lines, count } = project(every(100, 50_000), 333)
  t.same(samples, project(every(100, 50_000), 1).samples, 'batches make no difference')
  t.equal(count, 50_000)
  t.ok(samples.length < 1100, `${samples.length} samples`)
  t.ok(lines <= samples.length / 5, `${lines} lines`)
  const stored = new Set(samples.map(([number]) => number))
  for (const count of [1, 2, 199, 200, 201, 399, 400, 401, 402, 799, 801, 12_345, 49_999, 50_000]) {
    const stride = strideOf(count)
    const read = Array.from({ length: count }, (_, number) => number).filter(number => number % stride === 0)
    t.ok(read.every(number => stored.has(number)), `of ${count}`)
    t.ok(read.length <= MAX_SAMPLES && read.length >= Math.min(count, MAX_SAMPLES / 2), `${read.length} of ${count}`)
  }
})

t.test('values keep their text, and long ones are left out', async t => {
  const [job] = applyBatch([
    eventAt(0, { progress: '{"z":1.0,"n":12345678901234567890}' as JsonText }),
    eventAt(100, { progress: `"${'x'.repeat(600)}"` as JsonText }),
    eventAt(200, { progressTruncated: true })
  ], [row()])
  const samples = `[0,${START},{"z":1.0,"n":12345678901234567890}],[1,${START + 100}],[2,${START + 200}]`
  t.equal(job?.samples, samples)
})

t.test('the row collects samples until there are 16, or the job ends', async t => {
  t.equal(project(every(100, 15), 1).lines, 0)
  t.equal(project(every(100, 160), 1).lines, 10)
  t.equal(project(every(100, 160), 1000).lines, 1)
  const end = eventAt(300, { type: 'completed' })
  t.equal(applyBatch([eventAt(0), end], [row()])[0]?.carrier, end)
  t.equal(applyBatch([eventAt(0)], [{ ...row(), state: 3 }])[0]?.carrier, undefined, 'all events were late')
  const reopened = [end, eventAt(400, { type: 'waiting', reopened: true })]
  t.equal(applyBatch(reopened, [row()])[0]?.carrier, undefined, 'it was opened again')
})

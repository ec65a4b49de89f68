import t from 'tap'
import fc from 'fast-check'
import { START, type RelayPosition } from '@tidings/job-events'
import { detectGap } from '../../../src/relay/source/detect-gap.ts'
import type { ReadPage, RawEntry } from '../../../src/relay/source/bullmq-event-reader.ts'

/** A model of a Redis stream, for reads only: ids are 1-0, 2-0, … */
class Stream {
  entries: RawEntry[] = []
  added = 0
  #clock = 0

  add (n: number) {
    for (let i = 0; i < n; i++) {
      this.entries.push([`${++this.#clock}-0`, ['event', 'progress']])
      this.added++
    }
  }

  trim (n: number) { this.entries.splice(0, n) }

  recreate () {
    this.entries = []
    this.added = 0
  }

  read ({ at }: RelayPosition, count: number): ReadPage {
    const after = Number(at.split('-')[0])
    const entries = this.entries.filter(([id]) => Number(id.split('-')[0]) > after).slice(0, count)
    const lastId = this.added === 0 ? '0-0' : `${this.#clock}-0`
    return {
      entries,
      isEnd: entries.length === 0 || entries.at(-1)?.[0] === lastId,
      entriesAdded: this.added,
      length: this.entries.length,
      lastId
    }
  }
}

t.test('the counts of read and lost entries are exact', t => {
  const actions = fc.array(fc.record({ add: fc.nat(30), trim: fc.nat(40), count: fc.integer({ min: 1, max: 20 }) }), {
    maxLength: 40
  })
  fc.assert(fc.property(actions, steps => {
    const stream = new Stream()
    const seen = new Set<string>()
    let position = START
    for (const { add, trim, count } of [
      ...steps, ...Array.from({ length: 80 }, () => ({ add: 0, trim: 0, count: 20 }))
    ]) {
      stream.add(add)
      stream.trim(trim)
      const advance = detectGap(position, stream.read(position, count))
      for (const [id] of advance.entries) {
        if (seen.has(id)) throw new Error(`${id} was read twice`)
        seen.add(id)
      }
      position = advance.to
    }
    t.equal(position.read, seen.size)
    t.equal(position.read + position.lost, stream.added)
  }), { numRuns: 100 })
  t.end()
})

t.test('a gap is distinguished from the first read of an older queue', t => {
  const stream = new Stream()
  stream.add(10)
  stream.trim(4)
  const first = detectGap(START, stream.read(START, 100))
  t.same([first.continuity, first.to], ['first', { at: '10-0', read: 6, lost: 4 }])
  stream.add(5)
  stream.trim(8)
  const next = detectGap(first.to, stream.read(first.to, 100))
  t.same([next.continuity, next.lost, next.to], ['gap', 2, { at: '15-0', read: 9, lost: 6 }])
  t.end()
})

t.test('the position passes entries that were all trimmed', t => {
  const stream = new Stream()
  stream.add(10)
  stream.trim(10)
  t.same(detectGap(START, stream.read(START, 100)).to, { at: '10-0', read: 0, lost: 10 })
  t.end()
})

t.test('a stream that was deleted and created again is detected', t => {
  const stream = new Stream()
  stream.add(10)
  const { to } = detectGap(START, stream.read(START, 100))
  stream.recreate()
  t.same(
    detectGap(to, stream.read(to, 100)), { to: START, entries: [], continuity: 'recreated', lost: 0 },
    'while it is empty'
  )

  stream.add(3)
  const few = detectGap(to, stream.read(to, 100))
  t.same(
    [few.continuity, few.entries.length, few.to], ['recreated', 3, { at: '13-0', read: 3, lost: 0 }],
    'with fewer entries'
  )

  const other = new Stream()
  other.add(10)
  const before = detectGap(START, other.read(START, 100)).to
  other.recreate()
  other.add(25)
  let position = before
  const kinds = []
  for (let i = 0; i < 5; i++) {
    const advance = detectGap(position, other.read(position, 10))
    kinds.push(advance.continuity)
    position = advance.to
  }
  t.ok(kinds.includes('recreated'), 'with more entries than before it is detected at its end at the latest')
  t.same(position, { at: '35-0', read: 25, lost: 0 })
  t.end()
})

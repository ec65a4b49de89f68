import type { Mutation } from '../mutation.ts'
import { API, EVENTS } from './paths.ts'

const append = `${EVENTS}/src/lua/append.lua`
const writerTest = `${EVENTS}/test/stream-writer.test.ts`

export const stream: Mutation[] = [
  {
    without: 'the comparison of the position, before a batch is appended',
    file: append,
    search: 'if at ~= ARGV[1] or read ~= ARGV[2] then return { 0, at, read, lost } end',
    replacement: '',
    tests: {
      [writerTest]: 'a batch whose position has moved is refused as a whole',
      [`${API}/test/relay/fail-over.test.ts`]: 'events are published once, in order, while the leading replica'
    }
  },
  {
    without: 'the end of a batch, from which the next one is read',
    file: `${API}/src/relay/relay-loop.ts`,
    search: 'reading = startReading(advance.to.at, page.isEnd)',
    replacement: 'reading = startReading(position.at, page.isEnd)',
    tests: { 'test/simulation/relay.test.ts': 'two relays that crash at any point' }
  },
  {
    without: 'the mark of an end',
    file: append,
    search: 'if not opens and not concluded and final[final_key] then',
    replacement: 'if false then',
    tests: {
      [writerTest]: 'a finished job is final',
      [`${API}/test/relay/bullmq-jobs.test.ts`]: 'progress of a finished job is dropped'
    }
  },
  {
    without: 'reopening by a retry',
    file: `${API}/src/relay/mapping/map-event.ts`,
    search: '...(wasFinal(fields.prev) && { reopened: true as const }) } }',
    replacement: '} }',
    tests: { [`${API}/test/transitions/transitions.test.ts`]: 'each transition of BullMQ publishes' }
  },
  {
    without: 'the count of entries that were trimmed unread',
    file: `${API}/src/relay/source/detect-gap.ts`,
    search: 'const lost = Math.max(0, page.isEnd ? entriesAdded - entries.length - known : entriesAdded - length - known)',
    replacement: 'const lost = 0 * length * entriesAdded',
    tests: {
      [`${API}/test/relay/source/detect-gap.test.ts`]: '',
      'test/simulation/relay.test.ts': 'entries that BullMQ trims unread are counted exactly'
    }
  },
  {
    without: 'the comparison with BullMQ after a gap',
    file: `${API}/src/relay/queue-relay.ts`,
    search: 'await saveGap(redis, queue, gap)',
    replacement: '',
    tests: {
      [`${API}/test/relay/gap.test.ts`]: 'entries that were trimmed while the relay was away are counted exactly'
    }
  }
]

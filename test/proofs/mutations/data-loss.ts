import type { Mutation } from '../mutation.ts'
import { API, EVENTS } from './paths.ts'

const lostTail = `${API}/test/relay/lost-tail.test.ts`

export const dataLoss: Mutation[] = [
  {
    without: 'ids above those that Postgres has seen',
    file: `${EVENTS}/src/lua/open.lua`,
    search: 'elseif above(minimum_ms, minimum_seq, last_ms, last_seq) then',
    replacement: 'elseif false then',
    tests: { [`${EVENTS}/test/stream-writer.test.ts`]: 'ids continue above the minimum id' }
  },
  {
    without: 'marks of the ends that Redis has lost',
    file: `${EVENTS}/src/lua/mark-ends.lua`,
    search: 'redis.call(\'SET\', ARGV[i], ARGV[i + 1] .. \' \' .. ARGV[i + 2], \'PX\', ARGV[2])',
    replacement: '',
    tests: {
      [`${EVENTS}/test/stream-writer.test.ts`]: 'lost ends are marked',
      [lostTail]: 'the same if jobs-api was away meanwhile'
    }
  },
  {
    without: 'the second publication of recent ends',
    file: `${API}/src/relay/queue-relay.ts`,
    search: 'await republishLostEnds({ queue, stream, recentEnds, minimumId: minimumId(), log })',
    replacement: '',
    tests: { [lostTail]: 'an end that Postgres had not taken in yet' }
  }
]

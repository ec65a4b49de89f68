import type { Mutation } from '../mutation.ts'
import { API, DISPATCHER, EVENTS, GATEWAY } from './paths.ts'

export const trimmedStream: Mutation[] = [
  {
    without: 'the comparison with BullMQ after a gap of the projection',
    file: `${API}/src/projector/plugin.ts`,
    search: 'const onGap = () => requestReconcile(redis, config.queues)',
    replacement: 'const onGap = () => {}',
    tests: { [`${API}/test/reconcile/lost-data.test.ts`]: 'after events were trimmed unprojected' }
  },
  {
    without: 'conclusions in place of ends that the mark calls published',
    file: `${EVENTS}/src/lua/append.lua`,
    search: 'local concluded = string.byte(what) == BYTE_C and string.match(what, \'^concluded ?(.*)$\') or nil',
    replacement: 'local concluded = nil',
    tests: {
      [`${EVENTS}/test/stream-writer.test.ts`]: 'a conclusion is always published',
      [`${API}/test/reconcile/trimmed.test.ts`]: 'jobs whose end was trimmed before it was projected'
    }
  },
  {
    without: 'the first id of an end, in sessions that have it already',
    file: `${GATEWAY}/src/session/event-cursor.ts`,
    search: '|| (!isUnread && isNewer(repeats, this.completeFrom))',
    replacement: '',
    tests: { [`${GATEWAY}/test/stream/stream-tail.test.ts`]: 'an end that is published again for the rows' }
  },
  {
    without: 'the position that a client named, which has the end',
    file: `${GATEWAY}/src/session/event-cursor.ts`,
    search: '!isNewer(repeats, this.receivedUpTo) || ',
    replacement: '',
    tests: { [`${GATEWAY}/test/session/event-cursor.test.ts`]: 'an end that comes again under another id' }
  },
  {
    without: 'the first id of an end, in a shard that has delivered it',
    file: `${DISPATCHER}/src/fan-out/drop-repeated.ts`,
    search: 'return !reads.isUnread(firstId) && !await isInGap(sql, shard, firstId)',
    replacement: 'return reads.isUnread(firstId) && !await isInGap(sql, shard, firstId)',
    tests: { [`${DISPATCHER}/test/fan-out/away.test.ts`]: 'an end published again is delivered only' }
  },
  {
    without: 'the low-water mark',
    file: `${EVENTS}/src/lua/trim.lua`,
    search: 'if trimmed > 0 and highest then redis.call(\'SET\', KEYS[2], highest[1]) end',
    replacement: '',
    tests: { [`${EVENTS}/test/stream-writer.test.ts`]: 'a stream that is too large loses its oldest events' }
  }
]

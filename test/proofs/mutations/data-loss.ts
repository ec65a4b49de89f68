import type { Mutation } from '../mutation.ts'
import { API, DISPATCHER, EVENTS, GATEWAY } from './paths.ts'

const lostTail = `${API}/test/relay/lost-tail.test.ts`
const catchesUp = { [`${API}/test/projector/restored.test.ts`]: 'a Postgres that fails over' }
const madeAgain = { [`${DISPATCHER}/test/delivery/claim/restored.test.ts`]: 'deliveries that Postgres has lost' }

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
    file: `${API}/src/relay/lost-ends/republish-lost-ends.ts`,
    search: 'const recent = recentEnds.all()',
    replacement: 'const recent = recentEnds.all().slice(0, 0)',
    tests: { [lostTail]: 'an end that Postgres had not taken in yet' }
  },
  {
    without: 'the second publication of ends that only Postgres has',
    file: `${API}/src/relay/lost-ends/republish-lost-ends.ts`,
    search: 'for await (const page of storedEnds(sql, loss)) {',
    replacement: 'for await (const page of storedEnds(sql, { ...loss, to: loss.from })) {',
    tests: { [lostTail]: 'ends of all queues that only Postgres knows' }
  },
  {
    without: 'what a reader had read before a loss',
    file: `${EVENTS}/src/repetitions.ts`,
    search: 'if (!repeats || (this.#loss && isNewer(this.#loss.continuedAt, repeats))) continue',
    replacement: 'if (!repeats) continue',
    tests: { [`${EVENTS}/test/repetitions.test.ts`]: 'what a reader had not read before a loss' }
  },
  {
    without: 'lost ends that a gateway had not read',
    file: `${GATEWAY}/src/session/event-cursor.ts`,
    search: 'return isUnread ? !isNewer(repeats, this.resumedUpTo) : isNewer(repeats, this.completeFrom)',
    replacement: 'return isNewer(repeats, this.completeFrom)',
    tests: { [`${GATEWAY}/test/stream/stream-tail.test.ts`]: 'an end that Redis lost before the gateway read it' }
  },
  {
    without: 'doubt about the rows while their position is not known',
    file: `${API}/src/projector/projection-progress.ts`,
    search: 'return isCertain && !isNewer(id, position)',
    replacement: 'return !isNewer(id, highest)',
    tests: catchesUp
  },
  {
    without: 'a projector that starts again from an earlier position',
    file: `${API}/src/projector/plugin.ts`,
    search: 'await consumer?.stop()\n        if (!signal.aborted) consumer = start()',
    replacement: 'await Promise.resolve()',
    tests: catchesUp
  },
  {
    without: 'large values that are stored again',
    file: `${API}/src/projector/projector.ts`,
    search: 'if (isNewer(lostUpTo, from)) await',
    replacement: 'if (isNewer(from, from)) await',
    tests: catchesUp
  },
  {
    without: 'a new worker id in a promoted Postgres',
    file: `${DISPATCHER}/src/delivery/claim/worker-lease.ts`,
    search: 'if (lease.is !== \'held\') await leaveIfRestored()',
    replacement: 'if (lease.is === \'stopped\') await leaveIfRestored()',
    tests: madeAgain
  },
  {
    without: 'endpoints that are forgotten with it',
    file: `${DISPATCHER}/src/delivery/pipeline.ts`,
    search: 'onRestored: endpoints.clear',
    replacement: 'onRestored: () => {}',
    tests: madeAgain
  }
]

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
    tests: { [`${EVENTS}/test/stream-writer.test.ts`]: 'lost ends are marked' }
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
    search: 'for await (const page of loss ? storedEnds(sql, loss) : [[]]) {',
    replacement: 'for await (const page of loss ? storedEnds(sql, { ...loss, to: loss.from }) : [[]]) {',
    tests: { [lostTail]: 'ends of all queues that only Postgres knows' }
  },
  {
    without: 'the ids that a reader has read, and with its position alone',
    file: `${EVENTS}/src/recent-reads.ts`,
    search: 'return !this.#has(firstId) && !this.wasRepeated(firstId)',
    replacement: 'return isNewer(firstId, this.#newest) && !this.wasRepeated(firstId)',
    tests: {
      [`${EVENTS}/test/recent-reads.test.ts`]: 'what was read are the ids',
      [`${GATEWAY}/test/stream/stream-tail.test.ts`]: 'an end that Redis lost before the gateway read it',
      [`${DISPATCHER}/test/fan-out/away.test.ts`]: 'ends that come again after a loss'
    }
  },
  {
    without: 'the batch that Redis did not reply to',
    file: `${API}/src/relay/relay-loop.ts`,
    search: 'recentEnds.send(events, from, to)',
    replacement: '',
    tests: { [lostTail]: 'an end without a reply to its append' }
  },
  {
    without: 'the former leader of a queue, which remembers, after Redis was away',
    file: `${API}/src/lease/hold-lease.ts`,
    search: 'if (isResting() || formersTurnMs() > 0) return',
    replacement: 'if (isResting()) return',
    tests: { [`${API}/test/lease/hold-lease.test.ts`]: 'a lease that expires while Redis is away goes back' }
  },
  {
    without: 'the last event that a row has seen, in its conclusion',
    file: `${EVENTS}/src/lua/append.lua`,
    search: 'if not seen then return id end',
    replacement: 'if true then return id end',
    tests: {
      [`${EVENTS}/test/stream-writer.test.ts`]: 'a conclusion does not name an earlier end',
      [lostTail]: 'a job whose retry Redis has lost fails once more'
    }
  },
  {
    without: 'ends of unknown ids that sessions have',
    file: `${GATEWAY}/src/stream/stream-tail.ts`,
    search: 'if (message.mayRepeat) message.repeats = reads.firstIdOf(message)',
    replacement: '',
    tests: { [`${GATEWAY}/test/stream/stream-tail.test.ts`]: 'an end that may have been published before' }
  },
  {
    without: 'ends of unknown ids that a shard has delivered',
    file: `${DISPATCHER}/src/fan-out/drop-repeated.ts`,
    search: 'return ahead?.[0] ?? (read && formatEventId(read))',
    replacement: 'return read && ahead && undefined',
    tests: { [`${DISPATCHER}/test/fan-out/away.test.ts`]: 'ends that come again after a loss' }
  },
  {
    without: 'the position of a client from before a loss',
    file: `${GATEWAY}/src/session/resume.ts`,
    search: 'cursor.position = keeps ? newest(cursor.position, until) : until',
    replacement: 'cursor.position = complete ? newest(cursor.position, until) : until',
    tests: { [`${GATEWAY}/test/session/resume.test.ts`]: 'a client from before Redis lost data' }
  },
  {
    without: 'lost ends that a gateway had not read',
    file: `${GATEWAY}/src/session/event-cursor.ts`,
    search: '(!isUnread && isNewer(repeats, this.completeFrom))',
    replacement: 'isNewer(repeats, this.completeFrom)',
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

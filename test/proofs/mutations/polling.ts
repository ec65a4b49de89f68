import type { Mutation } from '../mutation.ts'
import { API, EVENTS } from './paths.ts'

const movePosition = `${API}/src/db/projector-position.ts`

export const polling: Mutation[] = [
  {
    without: 'the comparison of the position, before a batch is projected',
    file: movePosition,
    search: ' and event_ms = ${from.ms} and event_seq = ${from.seq}`\n  return count === 1',
    replacement: ' and ${from.ms}::bigint is not null`\n  return count === 1',
    tests: { [`${API}/test/projector/project-batch.test.ts`]: 'a batch from another position changes nothing' }
  },
  {
    without: 'the position of the faster replica',
    file: `${EVENTS}/src/consumer.ts`,
    search: 'position = next ?? batch.to',
    replacement: 'position = batch.to',
    tests: { [`${EVENTS}/test/consumer.test.ts`]: 'a handler may return the next position' }
  },
  {
    without: 'the detection of a gap in the stream',
    file: `${EVENTS}/src/consumer.ts`,
    search: 'if (gap) {\n      await limitStep(',
    replacement: 'if (gap && position.ms < 0) {\n      await limitStep(',
    tests: {
      [`${EVENTS}/test/consumer.test.ts`]: 'reports a gap where events were trimmed',
      'test/simulation/projection.test.ts': 'events that are trimmed unread are reported as lost'
    }
  },
  {
    without: 'the wait for the event that the client names',
    file: `${API}/src/read/wait-for-event.ts`,
    search: 'if (!await projection.waitFor(id, { timeoutMs: until - Date.now(), signal })) throw new NotThereYet()',
    replacement: 'if (until < 0) throw new NotThereYet()',
    tests: { [`${API}/test/routes/polling.test.ts`]: 'an event that is not projected in time is a 503' }
  }
]

import type { Mutation } from '../mutation.ts'
import { EVENTS, GATEWAY } from './paths.ts'

const cursor = `${GATEWAY}/src/session/event-cursor.ts`
const cursorTest = `${GATEWAY}/test/session/event-cursor.test.ts`
const simulation = 'test/simulation/sessions.test.ts'

export const realtime: Mutation[] = [
  {
    without: 'the buffer of live events, while the history is read',
    file: cursor,
    search: 'if (this.#buffered) this.#buffer(this.#buffered, message)\n    else if',
    replacement: 'if',
    tests: {
      [cursorTest]: 'it buffers at first',
      [simulation]: 'each event is received once',
      [`${GATEWAY}/test/property.test.ts`]: ''
    }
  },
  {
    without: 'the comparison of events with the cursor',
    file: cursor,
    search: 'else if (isNewer(message.id, this.position)) this.deliver(message)',
    replacement: 'else this.deliver(message)',
    tests: {
      [cursorTest]: 'nothing at or below its position is delivered',
      [simulation]: 'each event is received once'
    }
  },
  {
    without: 'a second read of the history, after the buffer overflowed',
    file: `${GATEWAY}/src/session/resume.ts`,
    search: 'if (!cursor.overflowed || session.hasEnded) return complete',
    replacement: 'return complete',
    tests: {
      [`${GATEWAY}/test/session/rebuffering.test.ts`]: 'when the buffer of a resuming client overflows',
      [simulation]: 'each event is received once'
    }
  },
  {
    without: 'the check that the history still has what was read',
    file: `${GATEWAY}/src/session/history.ts`,
    search: 'if (!await covers(userId, from)) return false',
    replacement: '',
    tests: { [simulation]: 'what was trimmed or lost meanwhile is reported' }
  },
  {
    without: 'the limits of a history',
    file: `${EVENTS}/src/lua/covers.lua`,
    search: 'return { (untrimmed and young) and 1 or 0, last }',
    replacement: 'return { 1, last }',
    tests: { [`${EVENTS}/test/history.test.ts`]: 'trimmed events of a history are not covered' }
  },
  {
    without: 'the epoch of a data set',
    file: `${EVENTS}/src/lua/covers.lua`,
    search: 'if above(epoch_ms, epoch_seq, ms, seq) or above(ms, seq, last_ms, last_seq) then return { 0, last } end',
    replacement: '',
    tests: { [`${EVENTS}/test/history.test.ts`]: 'an id of a former data set or of the future is not covered' }
  },
  {
    without: 'the end of all sessions at a gap in the stream',
    file: `${GATEWAY}/src/stream/stream-tail.ts`,
    search: 'for (const session of hub.sessions) session.end(\'resync\')',
    replacement: '',
    tests: {
      [`${GATEWAY}/test/stream/tail-lag.test.ts`]: 'after a gap in the stream sessions resume',
      [simulation]: 'what was trimmed or lost meanwhile is reported'
    }
  },
  {
    without: 'the end of sessions on a replica that stops',
    file: `${GATEWAY}/src/session/hub.ts`,
    search: 'for (const session of sessions.slice(i, i + size)) session.end(\'draining\')',
    replacement: '',
    tests: { [`${GATEWAY}/test/replicas.test.ts`]: 'clients of a replica that is stopped under load' }
  },
  {
    without: 'the order of frames that wait for a slow client',
    file: `${GATEWAY}/src/session/send-buffer.ts`,
    search: 'if (this.#backlog) this.#keep(this.#backlog, frame, topic)\n    else if',
    replacement: 'if',
    tests: {
      [`${GATEWAY}/test/session/send-buffer.test.ts`]: 'frames that a full transport cannot take wait, in order'
    }
  }
]

import { valueOfPayload, type Value } from '../check/values.ts'

/** An event as a channel received it. */
export interface Received {
  eventId: string
  type: string
  /** Webhooks have no time. */
  ms?: number
  value: Value
}

/**
 * A client ends a connection on which nothing came for so long, not even a ping of the gateway (each 25 s on /ws, each
 * 15 s on /events): it may have vanished without a reset. Socket.IO's client does so by itself.
 */
export const SILENT_MS = 40_000

/** The position of a session at an empty stream. */
const NOWHERE = '0-0'

export interface Recorder {
  channel: string
  user: string
  /** The id of the newest event, from which a session resumes. */
  position: string | undefined
  /** How many sessions it has had. */
  sessions: number
  /** What it may have missed, as it was notified: sessions that were not recovered, from one position to another. */
  unrecovered: [from: string, to: string][]
  /** By the id of the job. */
  received: Map<string, Received[]>
  /** What was wrong with an event by itself, or with its place among the others, one line for each. */
  faults: { doubled: string[], reordered: string[], wrong: string[] }
  /** Takes a payload of the session's position, `session`, or of an event. */
  take: (event: string, payload: Record<string, unknown>) => void
}

/** Records the events of a user over all sessions of one client, each of which resumes from the last event. */
export function createRecorder (channel: string, user: string): Recorder {
  const recorder: Recorder = {
    channel,
    user,
    position: undefined,
    sessions: 0,
    unrecovered: [],
    received: new Map(),
    faults: { doubled: [], reordered: [], wrong: [] },
    take: (event, payload) => {
      if (event === 'session') takeSession(payload)
      else if (/^job:(state|progress|completed|failed)$/.test(event)) takeEvent(event.slice('job:'.length), payload)
    }
  }
  const seen = new Set<string>()

  function takeSession ({ recovered, lastEventId, userId }: Record<string, unknown>): void {
    // A first session has nothing to recover. One that starts before the first event of a data set may resume in
    // another data set, so it is never recovered.
    if (recovered === false && recorder.position !== undefined && recorder.position !== NOWHERE) {
      recorder.faults.wrong.push(`${channel} of ${user}: not recovered from ${recorder.position}`)
      recorder.unrecovered.push([recorder.position, lastEventId as string])
    }
    if (String(userId) !== user) recorder.faults.wrong.push(`${channel} of ${user}: a session of ${String(userId)}`)
    recorder.position = lastEventId as string
    recorder.sessions++
  }

  function takeEvent (type: string, payload: Record<string, unknown>): void {
    const { eventId, jobId, userId, state, timestamp } =
      payload as { eventId: string, jobId: string, userId?: string | number } & typeof payload
    const line = `${channel} of ${user}: ${type} ${eventId} of job ${jobId}`
    if (userId !== undefined && String(userId) !== user) recorder.faults.wrong.push(`${line}, of user ${String(userId)}`)
    if (seen.has(eventId)) recorder.faults.doubled.push(line)
    else if (recorder.position !== undefined && compareIds(eventId, recorder.position) <= 0) {
      recorder.faults.reordered.push(`${line}, after ${recorder.position}`)
    }
    seen.add(eventId)
    recorder.position = eventId
    note(recorder.received, jobId, {
      eventId,
      type: type === 'state' ? state as string : type,
      ms: timestamp as number,
      value: type === 'state' ? undefined : valueOfPayload(payload)
    })
  }
  return recorder
}

/** Adds to the list of a job. */
export function note (received: Map<string, Received[]>, jobId: string, event: Received): void {
  const list = received.get(jobId)
  if (list === undefined) received.set(jobId, [event])
  else list.push(event)
}

/** Compares ids of events, `<ms>-<seq>`. */
export function compareIds (a: string, b: string): number {
  const [ms = 0, seq = 0] = a.split('-').map(Number)
  const [otherMs = 0, otherSeq = 0] = b.split('-').map(Number)
  return ms - otherMs || seq - otherSeq
}

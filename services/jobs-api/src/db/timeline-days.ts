import { DAY_MS, type DayTable } from '@tidings/service-kit'

/** `jobs.timeline`: a partition per UTC day of the event. */
export const TIMELINE: DayTable = { schema: 'jobs', table: 'timeline', key: 'event_ms', perDay: DAY_MS }

/** The job's identity in time: a client may have given it any creation time. */
type Beginning = { createdMs: number, generationMs: number }

/**
 * No event of the job is older. The creation time comes from another clock than the ids of events, so a day is left for
 * their difference; for another producer's job it is what the producer says, so its generation, an event id, counts
 * too.
 */
export function firstEventMs ({ createdMs, generationMs }: Beginning): number {
  return Math.min(createdMs, generationMs === 0 ? Infinity : generationMs) - DAY_MS
}

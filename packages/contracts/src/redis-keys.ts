/**
 * Every key of ours shares one hash tag, so that a script can touch them
 * together on a Redis Cluster too.
 */
const PREFIX = '{tidings}'

/** The one stream of job events. */
export const JOB_EVENTS_KEY = `${PREFIX}:job-events`
/** The id at which this data set began; a client's position below it is of another life. */
export const EPOCH_KEY = `${PREFIX}:epoch`
/** The highest id that was trimmed off the stream; a follower below it was overtaken. */
export const LOW_WATER_KEY = `${PREFIX}:low-water`

/**
 * A hash: how far the relay has come in a queue's BullMQ events (at, read, lost),
 * and what it must remember over a fail-over (run, gap, suspect).
 */
export const relayPositionKey = (queue: string) => `${PREFIX}:relay:${queue}`
/** Held by the replica that relays a queue. Saves work, decides nothing. */
export const relayLeaseKey = (queue: string) => `${PREFIX}:relay:${queue}:lease`
/** Held by the replica that projects into Postgres. Saves work, decides nothing. */
export const PROJECTOR_LEASE_KEY = `${PREFIX}:projector:lease`
/** What a user's sessions can resume from. */
export const userHistoryKey = (userId: string) => `${PREFIX}:user:${userId}:events`
/** Stands while a job is finished: later progress is dropped. The next job of the same id is another one. */
export const finalityKey = (queue: string, jobId: string, generation = '0-0') => `${PREFIX}:final:${queue}:${generation}:${jobId}`
/** Set while an active job is asked to stop; the channel of the queue carries the job's id at that moment. */
export const cancelKey = (queue: string, jobId: string) => `${PREFIX}:cancel:${queue}:${jobId}`
export const cancelChannel = (queue: string) => `${PREFIX}:cancel:${queue}`
/** user → not-before in seconds: tokens issued earlier are refused everywhere. */
export const REVOCATIONS_KEY = `${PREFIX}:revocations`
/** A hash gateway replica → count: how many sessions a user has. */
export const userSessionsKey = (userId: string) => `${PREFIX}:user:${userId}:seats`
/** A sorted set gateway replica → when it last gave a sign of life, in milliseconds by Redis' clock. */
export const REPLICAS_KEY = `${PREFIX}:replicas`
/** Held for a moment by a one-time ticket, under the ticket's hash. */
export const ticketKey = (hash: string) => `${PREFIX}:ticket:${hash}`
/** The same once it was redeemed, for as long as its stream may come back. */
export const redeemedTicketKey = (hash: string) => `${PREFIX}:ticket:${hash}:redeemed`
/** What gateways tell each other goes over channels that begin so. */
export const REALTIME_CHANNEL = `${PREFIX}:realtime`
/** Held by the replica that works on erasures. Saves work, decides nothing. */
export const ERASURE_LEASE_KEY = `${PREFIX}:erasures:lease`
/** A hash erasure id → user: erasures that were asked for and are not finished in every service. */
export const ERASURES_KEY = `${PREFIX}:erasures`
/** A hash service → milliseconds: where nothing of the user is left. */
export const erasureStatusKey = (erasureId: string) => `${PREFIX}:erasure:${erasureId}`

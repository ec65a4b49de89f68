/**
 * All keys share one hash tag, so that a script can use several of them on a Redis Cluster too.
 */
const PREFIX = '{tidings}'

/** The one stream of job events. */
export const JOB_EVENTS_KEY = `${PREFIX}:job-events`
/** The first id of this data set; a client's position below it belongs to another data set. */
export const EPOCH_KEY = `${PREFIX}:epoch`
/** The highest id that was trimmed from the stream; a consumer below it may have a gap. */
export const LOW_WATER_KEY = `${PREFIX}:low-water`

/**
 * A hash: the relay's position in a queue's BullMQ events (at, read, lost), and its state that must survive a failover
 * (run, gap, suspected, reconciled).
 */
export const relayPositionKey = (queue: string) => `${PREFIX}:relay:${queue}`
/** Lease of the replica that relays a queue. It avoids double work and is not needed for correctness. */
export const relayLeaseKey = (queue: string) => `${PREFIX}:relay:${queue}:lease`
/** Lease of the replica that projects into Postgres. It avoids double work and is not needed for correctness. */
export const PROJECTOR_LEASE_KEY = `${PREFIX}:projector:lease`
/** A stream of the user's last events, from which sessions resume. */
export const userHistoryKey = (userId: string) => `${PREFIX}:user:${userId}:events`
/** Exists while a job is finished: late progress is dropped. A later job of the same id has another generation. */
export const finalityKey = (queue: string, jobId: string, generation = '0-0') =>
  `${PREFIX}:final:${queue}:${generation}:${jobId}`
/** Set while an active job should stop; the job's id is published on the channel of the queue at that moment. */
export const cancelKey = (queue: string, jobId: string) => `${PREFIX}:cancel:${queue}:${jobId}`
export const cancelChannel = (queue: string) => `${PREFIX}:cancel:${queue}`
/** A hash user → not-before in seconds: tokens issued earlier are refused everywhere. */
export const REVOCATIONS_KEY = `${PREFIX}:revocations`
/** A hash gateway replica → number of sessions of a user. */
export const userSessionsKey = (userId: string) => `${PREFIX}:user:${userId}:seats`
/** A sorted set gateway replica → its last heartbeat, in milliseconds by Redis' clock. */
export const REPLICAS_KEY = `${PREFIX}:replicas`
/** The encrypted token of a one-time ticket, under the ticket's hash. */
export const ticketKey = (hash: string) => `${PREFIX}:ticket:${hash}`
/** The same for a redeemed ticket, as long as its stream may reconnect. */
export const redeemedTicketKey = (hash: string) => `${PREFIX}:ticket:${hash}:redeemed`
/** Prefix of the channels between gateways. */
export const REALTIME_CHANNEL = `${PREFIX}:realtime`
/** Lease of the replica that works on erasures. It avoids double work and is not needed for correctness. */
export const ERASURE_LEASE_KEY = `${PREFIX}:erasures:lease`
/** A hash erasure id → user: requested erasures that are not finished in every service. */
export const ERASURES_KEY = `${PREFIX}:erasures`
/** A hash service → milliseconds: when the service had deleted all data of the user. */
export const erasureStatusKey = (erasureId: string) => `${PREFIX}:erasure:${erasureId}`
/** Lease of the replica of jobs-api that works on bulk actions. It avoids double work, no more. */
export const BULK_LEASE_KEY = `${PREFIX}:bulks:lease`
/**
 * Channel of the progress of bulk actions, to the gateways. Channels do not depend on the database number, so two
 * systems on one Redis would share one.
 */
export const bulkProgressChannel = (db: number) => `${PREFIX}:bulk-progress${db === 0 ? '' : `:${db}`}`

import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { eventIdOf, isNewer } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import type { BullmqEvent } from '../source/bullmq-event.ts'
import { findOwners, type KnownOwner } from './find-owners.ts'
import { splitIncarnations, type Incarnation } from './incarnations.ts'
import { createLookAhead } from './look-ahead.ts'
import { UNOWNED, type Owner } from './owner.ts'
import { nameOf, readJobHashes, type JobHash } from './read-job-hashes.ts'

type OwnerResolverOptions = {
  queue: string
  /** The prefix of BullMQ's keys: `bull:<queue>:`. */
  prefix: string
  sql: RawSql
  redis: Redis
  size: number
  /** Called if a job's data names an invalid user. */
  onInvalidOwner: (entry: BullmqEvent, fault: string) => void
  /** Resolves once Postgres has every published event, with a function that returns whether it still has. */
  waitForProjection: () => Promise<() => boolean>
  /** Called if a job's hash could not be read, so that its owner is unknown. */
  onUnreadable: (entry: BullmqEvent, err: Error) => void
}

export type OwnerResolver = ReturnType<typeof createOwnerResolver>

/**
 * Resolves the owner of each job. It is fixed when the job is first seen and does not follow later changes of the job's
 * data. Sources, in this order: the cache; Postgres; BullMQ's hash, if it can only belong to this incarnation of the
 * job. Ids are reused by jobs of other users, after obliterate or a removal.
 */
export function createOwnerResolver (
  { queue, prefix, sql, redis, size, onInvalidOwner, onUnreadable, waitForProjection }: OwnerResolverOptions
) {
  const cache = new LRUCache<string, Owner | typeof UNOWNED>({ max: size })
  const ahead = createLookAhead(redis, `${prefix}events`)
  let gap = '0-0'

  /**
   * Resolves the owner of each entry's job, UNOWNED if there is none. `end` is the id of the last entry that was read,
   * whether it is relayed or not.
   * Throws if the sources could not be read: the batch must wait.
   */
  async function resolve (entries: BullmqEvent[], end: string) {
    const { incarnations, of } = splitIncarnations(entries)
    for (const one of incarnations) one.owner = cached(one)
    await resolveFromPostgres(incarnations.filter(({ owner }) => owner === undefined), end)
    for (const one of incarnations) {
      one.owner ??= UNOWNED
      cache.set(one.jobId, one.owner)
    }
    return (entry: BullmqEvent) => of(entry).owner as Owner | typeof UNOWNED
  }

  /**
   * Clears the cache: another replica may have relayed meanwhile. Of adopted jobs that started before `since`, the next
   * incarnation may have started unseen.
   */
  function clear (since: string) {
    gap = since
    cache.clear()
  }

  function cached ({ jobId, isNew }: Incarnation): Incarnation['owner'] {
    // A second `added` may be that of another job, or of the same one, which was cancelled meanwhile.
    return isNew ? undefined : cache.get(jobId)
  }

  async function resolveFromPostgres (incarnations: Incarnation[], end: string) {
    if (incarnations.length === 0) return
    // The row of a submitted job is written before its `added`; that of another producer's job by the projection.
    const isComplete = incarnations.some(({ isNew }) => !isNew) ? await waitForProjection() : () => true
    const known = await findOwners(sql, queue, incarnations)
    if (!isComplete()) throw new Error('Postgres was away meanwhile: the owners are to be looked up again')
    for (const one of incarnations) one.owner = trusted(one, known.get(one))
    await resolveFromBullmq(incarnations.filter(({ owner }) => owner === undefined), known, end)
  }

  function trusted ({ isNew }: Incarnation, known: KnownOwner | undefined): Owner | undefined {
    if (known?.isSubmittedHere) return known
    const isSure = known?.generation !== undefined && !isNewer(eventIdOf(gap), eventIdOf(known.generation))
    return isSure && !isNew ? known : undefined
  }

  async function resolveFromBullmq (incarnations: Incarnation[], known: Map<Incarnation, KnownOwner>, end: string) {
    if (incarnations.length === 0) return
    const { hashes, last } = await readJobHashes(redis, prefix, incarnations.map(({ jobId }) => jobId))
    const found = incarnations.flatMap((one, i) => {
      const hash = hashes[i]
      if (hash instanceof Error) {
        onUnreadable(one.first, hash)
        return []
      }
      if (hash?.fault !== undefined) onInvalidOwner(one.first, hash.fault)
      return hash?.userId === undefined || one.isSucceeded ? [] : [{ one, hash }]
    })
    // The hash can only be this incarnation's if BullMQ wrote no event since, or if it is older than this event.
    const isSure = ({ one, hash }: typeof found[0]) => last === end || hash.created <= eventIdOf(one.first.id).ms
    // The creation time is by the producer's clock, which may be ahead of Redis': then no later `added` may follow.
    const startsAgain = found.every(isSure) ? undefined : await ahead.startsAfter(end, last)
    for (const candidate of found) {
      const { one, hash } = candidate
      if (isSure(candidate) || startsAgain?.(one.jobId) === false) one.owner = adopt(one, hash, known.get(one))
    }
  }

  return { resolve, clear }
}

function adopt (
  { first, isNew }: Incarnation, { userId, name, created, attempts, slot }: JobHash, known: KnownOwner | undefined
): Owner {
  const isKnown = !isNew && known?.userId === userId && known?.created === created
  return {
    userId: userId as string,
    name: nameOf(first.fields.name ?? name),
    created,
    attempts,
    generation: isKnown ? known.generation as string : first.id,
    ...(slot !== undefined && { slot }),
    ...(isNew && known && { isReused: true as const })
  }
}

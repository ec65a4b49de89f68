import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { eventIdOf, isNewer } from '@tidings/job-events'
import type { RawSql } from '@tidings/service-kit'
import { findOwners, type KnownOwner } from './find-owners.ts'
import { livesOf, type Life } from './incarnations.ts'
import { createLookAhead } from './look-ahead.ts'
import { NOBODY, type Owner } from './owner.ts'
import type { QueueEvent } from '../source/bullmq-event.ts'
import { nameOf, readHashes, type JobHash } from './read-job-hashes.ts'

type OwnersOptions = {
  queue: string
  /** Of BullMQ's keys: `bull:<queue>:`. */
  prefix: string
  sql: RawSql
  redis: Redis
  size: number
  /** Called where a job's data names a user that can be nobody's owner. */
  onRefused: (entry: QueueEvent, fault: string) => void
  /** Resolves once Postgres knows all that was told. */
  caughtUp: () => Promise<void>
  /** Told of a job whose hash could not be read, so that its owner is not known. */
  onUnreadable: (entry: QueueEvent, err: Error) => void
}

export type Owners = ReturnType<typeof createOwners>

/**
 * Whose each job is: fixed when the job is first seen, whatever becomes of its
 * data later. From memory, else from Postgres, else from BullMQ's own hash if
 * that can only be of this life of the job: ids come again, after obliterate or
 * a removal, for other users.
 */
export function createOwners ({ queue, prefix, sql, redis, size, onRefused, caughtUp, onUnreadable }: OwnersOptions) {
  const memory = new LRUCache<string, Owner | typeof NOBODY>({ max: size })
  const ahead = createLookAhead(redis, `${prefix}events`)
  let gap = '0-0'

  /**
   * The owner of each entry's job; NOBODY where there is none. `end` is the id
   * of the last entry that was read, told or not.
   * Throws where that could not be asked: the batch must wait.
   */
  async function attach (entries: QueueEvent[], end: string) {
    const { lives, of } = livesOf(entries)
    for (const life of lives) life.owner = remembered(life)
    await askPostgres(lives.filter(({ owner }) => owner === undefined), end)
    for (const life of lives) {
      life.owner ??= NOBODY
      memory.set(life.jobId, life.owner)
    }
    return (entry: QueueEvent) => of(entry).owner as Owner | typeof NOBODY
  }

  /**
   * Forgets what is in memory: another replica may have relayed meanwhile. Of
   * adopted jobs that began before `gap` the next life may have begun unseen.
   */
  function forget (since: string) {
    gap = since
    memory.clear()
  }

  function remembered ({ jobId, isNew }: Life): Life['owner'] {
    const owner = memory.get(jobId)
    // Ids of ours never come again: an `added` of one is the same job, added anew.
    return isNew && (owner === NOBODY || owner?.generation !== undefined) ? undefined : owner
  }

  async function askPostgres (lives: Life[], end: string) {
    if (lives.length === 0) return
    // A row of ours is written before its `added`; of others only the projection knows.
    if (lives.some(({ isNew }) => !isNew)) await caughtUp()
    const known = await findOwners(sql, queue, lives)
    for (const life of lives) life.owner = trusted(life, known.get(life))
    await askBullMQ(lives.filter(({ owner }) => owner === undefined), known, end)
  }

  function trusted ({ isNew }: Life, known: KnownOwner | undefined): Owner | undefined {
    if (known?.isOurs) return known
    const isSure = known?.generation !== undefined && !isNewer(eventIdOf(gap), eventIdOf(known.generation))
    return isSure && !isNew ? known : undefined
  }

  async function askBullMQ (lives: Life[], known: Map<Life, KnownOwner>, end: string) {
    if (lives.length === 0) return
    const { hashes, last } = await readHashes(redis, prefix, lives.map(({ jobId }) => jobId))
    const found = lives.flatMap((life, i) => {
      const hash = hashes[i]
      if (hash instanceof Error) {
        onUnreadable(life.first, hash)
        return []
      }
      if (hash?.fault !== undefined) onRefused(life.first, hash.fault)
      return hash?.userId === undefined || life.isOver ? [] : [{ life, hash }]
    })
    // The hash can only be of this life where BullMQ has told nothing since, or where it is older than what was told.
    const isSure = ({ life, hash }: typeof found[0]) => last === end || hash.created <= eventIdOf(life.first.id).ms
    // Its age is by its producer's clock, which may be ahead of Redis': then it must not begin anew further on.
    const beginsAgain = found.every(isSure) ? undefined : await ahead.beginsAfter(end, last)
    for (const one of found) {
      const { life, hash } = one
      if (isSure(one) || beginsAgain?.(life.jobId) === false) life.owner = adopt(life, hash, known.get(life))
    }
  }

  return { attach, forget }
}

function adopt ({ first, isNew }: Life, { userId, name, created, attempts, slot }: JobHash, known: KnownOwner | undefined): Owner {
  const isKnown = !isNew && known?.userId === userId && known?.created === created
  return {
    userId: userId as string,
    name: nameOf(first.fields.name ?? name),
    created,
    attempts,
    generation: isKnown ? known.generation as string : first.id,
    ...(slot !== undefined && { slot }),
    ...(isNew && known && { isAgain: true as const })
  }
}

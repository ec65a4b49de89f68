import { findOwner } from '../naive/owner.ts'
import type { OwnedJob } from '../naive/owner.ts'

const CACHED = 10_000

/** The owner of a job never changes, so it is read once. */
export function cachedOwner (): typeof findOwner {
  const owners = new Map<string, Promise<OwnedJob | undefined>>()
  return (queue, jobId) => {
    const known = owners.get(jobId)
    if (known !== undefined) return known
    if (owners.size === CACHED) owners.delete(owners.keys().next().value as string)
    const asked = findOwner(queue, jobId)
    owners.set(jobId, asked)
    asked.catch(() => owners.delete(jobId))
    return asked
  }
}

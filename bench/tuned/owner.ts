import { findOwner } from '../naive/owner.ts'
import type { OwnedJob } from '../naive/owner.ts'

const REMEMBERED = 10_000

/** A job's owner never changes, so it is asked for once. */
export function rememberedOwner (): typeof findOwner {
  const owners = new Map<string, Promise<OwnedJob | undefined>>()
  return (queue, jobId) => {
    const known = owners.get(jobId)
    if (known !== undefined) return known
    if (owners.size === REMEMBERED) owners.delete(owners.keys().next().value as string)
    const asked = findOwner(queue, jobId)
    owners.set(jobId, asked)
    asked.catch(() => owners.delete(jobId))
    return asked
  }
}

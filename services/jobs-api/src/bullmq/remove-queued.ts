import type { Queue } from 'bullmq'

/** Removes a job that is not active; false if a worker has just taken it. */
export async function removeQueued (queue: Queue, id: string): Promise<boolean> {
  // Not its children: those of a flow may belong to other users.
  return await queue.remove(id, { removeChildren: false }) === 1
}

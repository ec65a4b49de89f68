import type { Queue } from 'bullmq'

/** Removes a job that no worker has; false where one has just taken it. */
export async function removeQueued (queue: Queue, id: string): Promise<boolean> {
  // Not its children: a flow's may be of other users.
  return await queue.remove(id, { removeChildren: false }) === 1
}

import { Job } from 'bullmq'
import type { Queue } from 'bullmq'

export interface OwnedJob { name: string, userId: number | string }

/** Events carry only the id of their job, so the owner is read from the job. */
export async function findOwner (queue: Queue, jobId: string): Promise<OwnedJob | undefined> {
  const job = await Job.fromId(queue, jobId)
  return job && { name: job.name, userId: job.data.userId }
}

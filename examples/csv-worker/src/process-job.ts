import { UnrecoverableError } from 'bullmq'
import type { Job } from 'bullmq'
import { findFile } from './find-file.ts'
import { summarize } from './summarize.ts'
import type { Summary } from './summarize.ts'

const JOB_NAME = 'dataProcessing'

/** The data of a job. It is unchecked: BullMQ passes on what was added. */
export type JobData = { file?: unknown } | null | undefined

/** The job itself: statistics of the CSV file that `data.file` names below `folder`. */
export async function processJob (folder: string, job: Job<JobData, Summary>, signal: AbortSignal) {
  // A BullMQ worker gets the jobs of its queue under all names. Ignoring one would look like success.
  if (job.name !== JOB_NAME) {
    throw new UnrecoverableError(
      `This worker knows jobs named "${JOB_NAME}" only, not ${JSON.stringify(job.name.slice(0, 100))}. ` +
      'A worker takes every job of its queue: give other jobs a queue of their own.')
  }

  const file = await findFile(folder, job.data?.file)
  return await summarize(file, { signal, onProgress: percent => job.updateProgress(percent) })
}

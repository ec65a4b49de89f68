import type { JobSummary } from 'tidings'
import { jobColumns } from '../job-text.ts'
import type { Output } from '../output.ts'

/** Progress alone is printed at most this often for each job. */
const PROGRESS_MS = 1000

/** Prints a line for each job that it gets, and for progress the newest of a second. */
export function createJobLines (out: Output, expected: JobSummary[]) {
  const line = out.rows(jobColumns, expected)
  const waiting = new Map<string, JobSummary>()
  let timer: NodeJS.Timeout | undefined
  const keyOf = ({ queue, id }: JobSummary) => `${queue}:${id}`

  return {
    print (job: JobSummary): void {
      waiting.delete(keyOf(job))
      line(job)
    },
    printProgress (job: JobSummary): void {
      waiting.set(keyOf(job), job)
      timer ??= setTimeout(() => {
        timer = undefined
        for (const job of waiting.values()) line(job)
        waiting.clear()
      }, PROGRESS_MS)
    },
    close: () => clearTimeout(timer)
  }
}

import { createFeed, type Feed } from './feed.ts'
import { createJobWatcher, type WatchOptions } from './job-watcher.ts'
import type { Job } from './types.ts'
import type { WatchHub } from './watch-hub.ts'

/** A job as it changes, to be read with `for await`: as it stands first, and its end last. */
export interface JobWatch<Result = unknown> extends Feed<Job<Result>> {}

/** A job's snapshots, one after the other, each as `show` has it; a slow reader gets the newest. */
export function watchJob (
  hub: WatchHub, jobId: string, options: WatchOptions, show: (job: Job) => Job | Promise<Job>
): JobWatch {
  let unread: Job | undefined
  const watcher = createJobWatcher(hub, jobId, options, {
    onChange: job => {
      unread = job
      control.settle()
    },
    onEnd: error => {
      if (error !== undefined) unread = undefined
      control.end(error)
    }
  })
  const { feed, control } = createFeed({
    take: () => {
      const job = unread
      unread = undefined
      return job && show(job)
    },
    start: watcher.start,
    stop: watcher.close
  })
  return feed
}

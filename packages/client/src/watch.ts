import { disposable } from './events.ts'
import { JobWatcher, type WatchOptions } from './job-watcher.ts'
import type { Job } from './types.ts'
import type { WatchHub } from './watch-hub.ts'

/** A job as it changes, to be read with `for await`: as it stands first, and its end last. */
export interface JobWatch<Result = unknown> extends AsyncIterableIterator<Job<Result>, undefined, undefined> {
  close: () => void
  return: () => Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncDispose]: () => Promise<void>
}

type Show = (job: Job) => Job | Promise<Job>

/** A job's snapshots, one after the other, each as `show` has it; a slow reader gets the newest. */
export function watchJob (hub: WatchHub, jobId: string, options: WatchOptions, show: Show = job => job): JobWatch {
  let unread: Job | undefined
  let isClosed = false
  let hasStarted = false
  const readers: { resolve: (result: IteratorResult<Job, undefined>) => void, reject: (err: unknown) => void }[] = []
  const watcher = new JobWatcher(hub, jobId, options, () => {
    if (watcher.error === undefined) unread = watcher.job
    settle()
  })

  function settle () {
    while (readers.length > 0) {
      if (!isClosed && unread === undefined && !watcher.isOver) return
      const { resolve, reject } = readers.shift() as typeof readers[number]
      const { error } = watcher
      if (!isClosed && error !== undefined) {
        isClosed = true
        reject(error)
      } else if (!isClosed && unread !== undefined) {
        // Not made a promise where it is none: what is there is read at once.
        const shown = show(unread)
        unread = undefined
        if (shown instanceof Promise) shown.then(value => resolve({ done: false, value }), reject)
        else resolve({ done: false, value: shown })
      } else {
        resolve({ done: true, value: undefined })
      }
    }
  }

  function close () {
    isClosed = true
    watcher.close()
    settle()
  }

  const watch: Omit<JobWatch, typeof Symbol.asyncDispose> = {
    [Symbol.asyncIterator]: () => watch as JobWatch,
    next: () => new Promise((resolve, reject) => {
      readers.push({ resolve, reject })
      if (!hasStarted && !isClosed) {
        hasStarted = true
        watcher.start()
      }
      settle()
    }),
    close,
    return: async () => {
      close()
      return { done: true, value: undefined }
    }
  }
  return disposable(watch, close) as JobWatch
}

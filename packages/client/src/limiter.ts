import { deferred, orAborted } from './abort.ts'

/** Runs at most so many at a time, in the order in which they come. */
export function createLimiter (max: number) {
  const queue: (() => void)[] = []
  let running = 0

  function handOn () {
    const enter = queue.shift()
    if (enter) enter()
    else running--
  }

  return async function run<T> (signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (running < max) running++
    else {
      const { promise: turn, resolve: enter } = deferred()
      queue.push(enter)
      await orAborted(turn, signal).catch((err: unknown) => {
        const at = queue.indexOf(enter)
        if (at >= 0) queue.splice(at, 1)
        else handOn()
        throw err
      })
    }
    try {
      return await task()
    } finally {
      handOn()
    }
  }
}

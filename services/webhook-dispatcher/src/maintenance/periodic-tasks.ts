import type { FastifyBaseLogger } from 'fastify'

export type PeriodicTask = {
  name: string
  everyMs: number
  /** Does a bounded piece; returns whether there may be more to do at once. */
  run: () => Promise<boolean>
}

export type PeriodicTasks = ReturnType<typeof createPeriodicTasks>

/** Does each chore again and again. All replicas do them: each is safe beside itself. */
export function createPeriodicTasks (chores: PeriodicTask[], log: FastifyBaseLogger) {
  const stopping = new AbortController()
  const timers = new Map<PeriodicTask, NodeJS.Timeout>()
  const running = new Map<PeriodicTask, Promise<void>>()

  async function work ({ name, run }: PeriodicTask): Promise<void> {
    try {
      while (!stopping.signal.aborted && await run());
    } catch (err) {
      log.warn({ err, chore: name }, 'upkeep: failed')
    }
  }

  function schedule (chore: PeriodicTask): void {
    if (stopping.signal.aborted) return
    timers.set(chore, setTimeout(() => {
      running.set(chore, work(chore).then(() => schedule(chore)))
    }, chore.everyMs))
  }

  return {
    async start (this: void): Promise<void> { chores.forEach(schedule) },
    async stop (this: void): Promise<void> {
      stopping.abort()
      for (const timer of timers.values()) clearTimeout(timer)
      await Promise.all(running.values())
    }
  }
}

import type { Endpoint } from './endpoint.ts'
import type { Result, Task } from './task.ts'

/** Tasks of one chain, posted one after the other in one slot; a failure ends it. */
export type Run = {
  readonly endpoint: Endpoint
  readonly tasks: Task[]
  /** The task in hand. */
  at: number
  state: 'waiting' | 'running' | 'ended'
  /** Told once of each task, be it posted or not. */
  onResult: (task: Task, result: Result) => void
}

export function createRun (endpoint: Endpoint, tasks: Task[], onResult: Run['onResult']): Run {
  return { endpoint, tasks, at: 0, state: 'waiting', onResult }
}

import type { Result, Task } from '../attempt/task.ts'

/** Tasks of one chain, posted one after the other in one slot of their endpoint `E`; a failure ends it. */
export type Run<E> = {
  readonly endpoint: E
  readonly tasks: Task[]
  /** The task in hand. */
  at: number
  state: 'waiting' | 'running' | 'ended'
  /** Told once of each task, be it posted or not. */
  onResult: (task: Task, result: Result) => void
}

export function createRun<E> (endpoint: E, tasks: Task[], onResult: Run<E>['onResult']): Run<E> {
  return { endpoint, tasks, at: 0, state: 'waiting', onResult }
}

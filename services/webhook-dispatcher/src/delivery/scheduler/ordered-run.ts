import type { Result, Task } from '../attempt/task.ts'

/** Tasks of one chain, posted one after the other in one slot of their endpoint `E`; a failure ends it. */
export type OrderedRun<E> = {
  readonly endpoint: E
  readonly tasks: Task[]
  /** The task in hand. */
  index: number
  state: 'waiting' | 'running' | 'ended'
  /** Told once of each task, be it posted or not. */
  onResult: (task: Task, result: Result) => void
}

export function createOrderedRun<E> (endpoint: E, tasks: Task[], onResult: OrderedRun<E>['onResult']): OrderedRun<E> {
  return { endpoint, tasks, index: 0, state: 'waiting', onResult }
}

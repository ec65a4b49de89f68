import type { Result, Task } from '../attempt/task.ts'

/** Tasks of one ordering key, sent one after the other in one slot of their endpoint `E`; a failure ends the run. */
export type OrderedRun<E> = {
  readonly endpoint: E
  readonly tasks: Task[]
  /** The current task. */
  index: number
  state: 'waiting' | 'running' | 'ended'
  /** Called once for each task, whether it was sent or not. */
  onResult: (task: Task, result: Result) => void
}

export function createOrderedRun<E> (endpoint: E, tasks: Task[], onResult: OrderedRun<E>['onResult']): OrderedRun<E> {
  return { endpoint, tasks, index: 0, state: 'waiting', onResult }
}

import type { Mutation } from '../mutation.ts'
import { DISPATCHER } from './paths.ts'

const test = `${DISPATCHER}/test/delivery/changes.test.ts`

export const changes: Mutation[] = [
  {
    without: 'the webhook as it is now, for deliveries that wait in memory',
    file: `${DISPATCHER}/src/delivery/scheduler/delivery-scheduler.ts`,
    search: 'task.target = run.endpoint.target ?? task.target',
    replacement: '',
    tests: { [test]: 'a changed url and secret apply' }
  },
  {
    without: 'the end of deliveries to a webhook that is paused, deleted or moved',
    file: `${DISPATCHER}/src/delivery/scheduler/endpoint.ts`,
    search: 'return this.#isRemoved || (this.#target !== undefined && this.#target.status !== \'active\')',
    replacement: 'return false',
    tests: { [test]: 'a paused webhook receives nothing more' }
  }
]

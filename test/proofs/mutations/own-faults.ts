import type { Mutation } from '../mutation.ts'
import { DISPATCHER } from './paths.ts'

const test = `${DISPATCHER}/test/delivery/attempt/own-faults.test.ts`

export const ownFaults: Mutation[] = [
  {
    without: 'freezes as the cause of a fault',
    file: `${DISPATCHER}/src/egress/exchange.ts`,
    search: 'const frozenMs = fault && this.#status === undefined ? this.#options.freezes.since(this.#started) : 0',
    replacement: 'const frozenMs = 0',
    tests: { [test]: 'an attempt that failed because the dispatcher was frozen' }
  },
  {
    without: 'the detection of freezes',
    file: `${DISPATCHER}/src/egress/freezes.ts`,
    search: 'if (ms >= FREEZE_MS) known.push({ from: at, ms })',
    replacement: '',
    tests: { [`${DISPATCHER}/test/egress/freezes.test.ts`]: 'a process that was stopped is frozen' }
  },
  {
    without: 'faults of this machine, as distinct from the endpoint\'s',
    file: `${DISPATCHER}/src/egress/own-fault.ts`,
    search: 'const counted = errors.filter(err => !lacksIPv6(err))',
    replacement: 'const counted = errors.filter(err => lacksIPv6(err) && false)',
    tests: { [`${DISPATCHER}/test/egress/own-fault.test.ts`]: 'to be without descriptors' }
  },
  {
    without: 'the repetition of a request on a connection that its receiver had closed',
    file: `${DISPATCHER}/src/egress/exchange.ts`,
    search: 'if (this.#isStale(err)) return this.#resend()',
    replacement: '',
    tests: { [test]: 'a receiver that closes kept connections' }
  }
]

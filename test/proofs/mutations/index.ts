import type { Mutation } from '../mutation.ts'
import { changes } from './changes.ts'
import { dataLoss } from './data-loss.ts'
import { isolation } from './isolation.ts'
import { otherProducers } from './other-producers.ts'
import { outages } from './outages.ts'
import { ownFaults } from './own-faults.ts'
import { polling } from './polling.ts'
import { realtime } from './realtime.ts'
import { stream } from './stream.ts'
import { submit } from './submit.ts'
import { takeOver } from './take-over.ts'
import { totals } from './totals.ts'
import { trimmedStream } from './trimmed-stream.ts'
import { webhooks } from './webhooks.ts'

/** By the names of the promises in docs/guarantees.md. */
export const mutations: Record<string, Mutation[]> = {
  submit,
  stream,
  polling,
  realtime,
  webhooks,
  isolation,
  'own faults': ownFaults,
  totals,
  'take-over': takeOver,
  changes,
  'other producers': otherProducers,
  'trimmed stream': trimmedStream,
  'data loss': dataLoss,
  outages
}

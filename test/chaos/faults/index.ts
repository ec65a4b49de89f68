import type { Fault } from './fault.ts'
import { clockFaults } from './clocks.ts'
import { clusterFaults } from './cluster.ts'
import { limitFaults } from './limits.ts'
import { networkFaults } from './network.ts'
import { diskFaults } from './postgres-disk.ts'
import { postgresFaults } from './postgres.ts'
import { processFaults } from './processes.ts'
import { receiverFaults } from './receivers.ts'
import { redisFaults } from './redis.ts'
import { sentinelFaults } from './sentinel.ts'

const NONE: Fault = {
  name: 'none',
  what: 'no fault: load alone',
  holdMs: [1000, 1000],
  recovery: { since: 'start', withinMs: 5000 },
  inject: () => () => {}
}

/** All faults, in the order in which they are listed. */
export const faults: Fault[] = [
  NONE, ...processFaults, ...limitFaults, ...clockFaults, ...redisFaults, ...sentinelFaults, ...clusterFaults,
  ...postgresFaults, ...diskFaults, ...networkFaults, ...receiverFaults
]

/** @throws if there is no fault of this name */
export function faultNamed (name: string): Fault {
  const found = faults.find(fault => fault.name === name)
  if (found === undefined) throw new Error(`There is no fault ${name}, only ${faults.map(({ name }) => name).join(', ')}`)
  return found
}

import { given, type Fault } from './fault.ts'

/** Below the tolerance of receivers for the time of a signature (5 minutes), above all timeouts and leases. */
const JUMP_S = [20, 90] as const

/** One replica of each service and a worker: a machine whose clock is wrong, and is set right again. */
function jumps (name: string, what: string, sign: 1 | -1): Fault {
  return {
    name: `clock-${name}`,
    what,
    holdMs: [4000, 8000],
    recovery: { since: 'start', withinMs: 10_000 },
    needs: 'clocks',
    inject: ({ system, random }) => {
      const clocks = given(system.clocks)
      const services = [...Map.groupBy(system.replicas, ({ service }) => service).values()]
      const victims = [...services, system.workers].map(processes => random.oneOf(processes).name)
      const seconds = sign * random.between(...JUMP_S)
      for (const victim of victims) clocks.set(victim, seconds)
      return () => { for (const victim of victims) clocks.set(victim, 0) }
    }
  }
}

export const clockFaults: Fault[] = [
  jumps('ahead', 'the clocks of one replica of each service and of a worker jump ahead, and back', 1),
  jumps('behind', 'the same clocks jump back, and ahead again', -1)
]

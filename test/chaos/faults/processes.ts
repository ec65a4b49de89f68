import type { NodeProcess } from '../system/node-process.ts'
import type { Fault, FaultContext } from './fault.ts'

type Choose = (context: FaultContext) => NodeProcess

const relay: Choose = context => context.relay
const reader: Choose = context => context.reader
const gateway: Choose = ({ system, random }) => random.oneOf(system.of('realtime-gateway'))
const worker: Choose = ({ system, random }) => random.oneOf(system.workers)
const edge: Choose = ({ system }) => system.edge

interface Ended { name: string, what: string, choose: Choose, withinMs: number, since?: 'start' | 'end' }

/** SIGKILL; the process is started again after a while. */
function killed ({ name, what, choose, withinMs, since = 'start' }: Ended): Fault {
  return ended({ name: `kill-${name}`, what: `SIGKILL of ${what}`, choose, withinMs, since }, 'SIGKILL')
}

/** SIGTERM, as in a deployment. */
function stopped ({ name, what, choose, withinMs, since = 'start' }: Ended): Fault {
  return ended({ name: `stop-${name}`, what: `SIGTERM of ${what}`, choose, withinMs, since }, 'SIGTERM')
}

function ended ({ name, what, choose, withinMs, since = 'start' }: Ended, signal: NodeJS.Signals): Fault {
  return {
    name,
    what,
    holdMs: [500, 2500],
    recovery: { since, withinMs },
    takesAway: 'process',
    startsProcesses: true,
    inject: async context => {
      const victim = choose(context)
      await victim.kill(signal)
      return async () => await victim.start()
    }
  }
}

/** SIGSTOP for longer than its leases last, then SIGCONT: a virtual machine that is paused. */
function frozen ({ name, what, choose, withinMs, since = 'start' }: Ended): Fault {
  return {
    name: `freeze-${name}`,
    what: `SIGSTOP and SIGCONT of ${what}`,
    holdMs: [3500, 6000],
    recovery: { since, withinMs },
    inject: async context => {
      const victim = choose(context)
      victim.freeze()
      return victim.thaw
    }
  }
}

export const processFaults: Fault[] = [
  killed({ name: 'relay', what: 'the jobs-api that relays', choose: relay, withinMs: 5000 }),
  killed({ name: 'gateway', what: 'a realtime-gateway', choose: gateway, withinMs: 5000 }),
  killed({ name: 'dispatcher', what: 'the webhook-dispatcher that reads', choose: reader, withinMs: 6000 }),
  killed({ name: 'edge', what: 'the edge', choose: edge, since: 'end', withinMs: 5000 }),
  killed({ name: 'worker', what: 'a worker', choose: worker, since: 'end', withinMs: 10_000 }),
  stopped({ name: 'relay', what: 'the jobs-api that relays', choose: relay, withinMs: 5000 }),
  stopped({ name: 'gateway', what: 'a realtime-gateway', choose: gateway, withinMs: 5000 }),
  stopped({ name: 'dispatcher', what: 'the webhook-dispatcher that reads', choose: reader, withinMs: 5000 }),
  frozen({ name: 'relay', what: 'the jobs-api that relays', choose: relay, withinMs: 10_000 }),
  frozen({ name: 'gateway', what: 'a realtime-gateway', choose: gateway, since: 'end', withinMs: 5000 }),
  frozen({ name: 'dispatcher', what: 'the webhook-dispatcher that reads', choose: reader, withinMs: 10_000 }),
  frozen({ name: 'worker', what: 'a worker', choose: worker, since: 'end', withinMs: 10_000 }),
  {
    name: 'kill-all',
    what: 'SIGKILL of all services and the edge at once',
    holdMs: [500, 1500],
    recovery: { since: 'end', withinMs: 10_000 },
    takesAway: 'server',
    startsProcesses: true,
    inject: async ({ system: { replicas, edge } }) => {
      const all = [...replicas, edge]
      await Promise.all(all.map(async process => await process.kill('SIGKILL')))
      return async () => { await Promise.all(all.map(async process => await process.start())) }
    }
  }
]

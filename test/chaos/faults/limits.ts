import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import type { Replica } from '../system/chaos-system.ts'
import type { Fault, FaultContext } from './fault.ts'

/** Each service starts with it, and works under the load of a round. */
const HEAP_MB = 64

type Choose = (context: FaultContext) => Replica

const relay: Choose = context => context.relay
const reader: Choose = context => context.reader
const gateway: Choose = ({ system, random }) => random.oneOf(system.of('realtime-gateway'))

/** As many descriptors as it has open: it can open no connection more, and those that it has work. */
function withoutDescriptors (name: string, what: string, choose: Choose): Fault {
  return {
    name: `descriptors-${name}`,
    what: `no file descriptor left in ${what}`,
    holdMs: [3000, 6000],
    recovery: { since: 'end', withinMs: 10_000 },
    needs: 'prlimit',
    inject: async context => {
      const { pid } = choose(context)
      const before = softLimit(pid)
      setSoftLimit(pid, String(readdirSync(`/proc/${pid}/fd`).length))
      return () => { if (existsSync(`/proc/${pid}`)) setSoftLimit(pid, before) } // another fault may have ended it
    }
  }
}

function softLimit (pid: number): string {
  return execFileSync('prlimit', [
    '--pid', String(pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT'
  ], { encoding: 'utf8' }).trim()
}

function setSoftLimit (pid: number, limit: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`])
}

/** Started again with a heap that is just enough for its work, then with the ordinary one. */
function withSmallHeap (name: string, what: string, choose: Choose): Fault {
  return {
    name: `heap-${name}`,
    what: `${what} with a heap of ${HEAP_MB} MB`,
    holdMs: [4000, 8000],
    recovery: { since: 'start', withinMs: 15_000 },
    isAlone: true,
    startsProcesses: true,
    inject: async context => {
      const victim = choose(context)
      await victim.kill('SIGTERM')
      await victim.start({ NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` })
      return async () => {
        await victim.kill('SIGTERM')
        await victim.start()
      }
    }
  }
}

export const limitFaults: Fault[] = [
  withoutDescriptors('relay', 'the jobs-api that relays', relay),
  withoutDescriptors('gateway', 'a realtime-gateway', gateway),
  withoutDescriptors('dispatcher', 'the webhook-dispatcher that reads', reader),
  withSmallHeap('relay', 'the jobs-api that relays', relay),
  withSmallHeap('gateway', 'a realtime-gateway', gateway),
  withSmallHeap('dispatcher', 'the webhook-dispatcher that reads', reader)
]

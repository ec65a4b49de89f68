import type { Observer } from '../check/checker.ts'
import type { Random } from '../random.ts'
import type { Ability, ChaosSystem, Replica } from '../system/chaos-system.ts'

export interface FaultContext {
  system: ChaosSystem
  /** What relayed, and what read the stream for webhooks, before the first fault of the round began. */
  relay: Replica
  reader: Replica
  observers: Observer[]
  random: Random
}

export type Heal = () => Promise<void> | void

/** A replica, the connections of Postgres, and a Postgres, a Redis or all services. */
export const TAKEN_AWAY = ['process', 'connections', 'server'] as const

export interface Fault {
  /** As `--faults` names it. */
  name: string
  /** What happens, in a few words. */
  what: string
  /** How long it lasts, in milliseconds: from, to. */
  holdMs: [number, number]
  /**
   * Within which time a new job is reported on every channel: from the start of the fault, where replicas take over,
   * or from its end. On a machine that has nothing else to do.
   */
  recovery: { since: 'start' | 'end', withinMs: number }
  /** Webhooks may miss progress: endpoints fail, and newer events supersede it. */
  supersedesProgress?: boolean
  /** What other faults need to begin: those that take nothing away begin first, then these in the order of the list. */
  takesAway?: typeof TAKEN_AWAY[number]
  /** Its end starts processes, which need what other faults have taken away. */
  startsProcesses?: true
  /** Redis loses what was written last, or all: the rules for jobs that were there are others (README). */
  losesRedisData?: boolean
  /** Postgres loses what was committed last: a request that was repeated may have made two jobs (README). */
  losesPostgresData?: boolean
  /** It is not caused together with others. */
  isAlone?: boolean
  /** Only for systems that have this. */
  needs?: Ability
  /** Starts it, and returns what ends it. */
  inject: (context: FaultContext) => Promise<Heal> | Heal
}

/** A part of the system that a fault needs, and has therefore. */
export function given<T> (part: T | undefined): T {
  if (part === undefined) throw new Error('the system does not have what the fault needs')
  return part
}

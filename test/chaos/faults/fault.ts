import type { Observer } from '../check/checker.ts'
import type { Random } from '../random.ts'
import type { ChaosSystem } from '../system/chaos-system.ts'

export interface FaultContext { system: ChaosSystem, observers: Observer[], random: Random }

export type Heal = () => Promise<void> | void

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
  /** Takes away what other faults need to begin. */
  beginsLast?: true
  /** Its end starts processes, which need what other faults have taken away. */
  startsProcesses?: true
  /** Starts it, and returns what ends it. */
  inject: (context: FaultContext) => Promise<Heal> | Heal
}

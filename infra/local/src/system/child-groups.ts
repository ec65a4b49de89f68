import type { ServerProcess } from '@tidings/dev-servers'
import type { RunFiles } from './run-files.ts'
import { supervise } from './supervise.ts'
import type { Supervised } from './supervise.ts'

export interface Child {
  name: string
  start: () => Promise<ServerProcess>
  ready: (running: ServerProcess) => Promise<void>
}

export interface ChildGroups {
  all: () => Supervised[]
  /** Starts a group of children together; rejects when one of them fails. */
  start: (children: Child[]) => Promise<void>
  /** Stops the groups in the reverse of their starting order. */
  stop: () => Promise<void>
}

/** The children of a system, in groups that start one after the other. */
export function createChildGroups (runFiles: RunFiles, report: (line: string) => void): ChildGroups {
  const groups: Supervised[][] = []
  let stopped: Promise<void> | undefined

  async function stopAll (): Promise<void> {
    for (const group of groups.toReversed()) await Promise.all(group.map(child => child.stop()))
  }

  return {
    all: () => groups.flat(),
    start: async children => {
      if (stopped !== undefined) throw new Error('The system is being stopped')
      const group = children.map(child => supervise({
        ...child,
        onStart: pid => runFiles.writePid(child.name, pid),
        onEnd: () => runFiles.removePid(child.name),
        report
      }))
      groups.push(group)
      await Promise.all(group.map(child => child.start()))
    },
    stop: () => {
      stopped ??= stopAll()
      return stopped
    }
  }
}

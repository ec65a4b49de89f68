import type { CommandDef } from 'citty'

type Commands = Record<string, CommandDef>

export const subCommandsOf = ({ subCommands }: CommandDef): Commands => (subCommands ?? {}) as Commands

export const nameOf = ({ meta }: CommandDef): string => (meta as { name?: string } | undefined)?.name ?? ''

export const describe = ({ meta }: CommandDef): string =>
  (meta as { description?: string } | undefined)?.description ?? ''

/** The command that these arguments name, and whether it only holds others. */
export function commandAt (root: CommandDef, args: readonly string[]) {
  let command = root
  let parent: CommandDef | undefined
  for (const arg of args) {
    const next = arg.startsWith('-') ? undefined : subCommandsOf(command)[arg]
    if (!next) break
    parent = command
    command = next
  }
  const first = args[parent ? args.indexOf(nameOf(command)) + 1 : 0]
  const isNamed = first !== undefined && !first.startsWith('-') // a name that there is not: runCommand says so
  return { command, parent, isGroup: Object.keys(subCommandsOf(command)).length > 0 && !isNamed }
}

/** `tidings jobs --status failed` is `tidings jobs ls --status failed`, `tidings help jobs` `tidings jobs --help`. */
export function withDefaults (root: CommandDef, args: string[]): string[] {
  const [group = '', next] = args
  if (group === 'help') return [...args.slice(1), '--help']
  const hasList = 'ls' in subCommandsOf(subCommandsOf(root)[group] ?? {})
  const isBare = next === undefined || (next.startsWith('-') && next !== '--help' && next !== '-h')
  return hasList && isBare ? [group, 'ls', ...args.slice(1)] : args
}

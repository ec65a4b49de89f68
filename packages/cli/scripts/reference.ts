import type { ArgsDef, CommandDef } from 'citty'
import { describe, nameOf, subCommandsOf } from '../src/command-tree.ts'
import { serverCommand } from '../src/command.ts'
import { root } from '../src/root.ts'

export const PAGE = new URL('../../../docs/cli.md', import.meta.url)

/** Options that every command that asks the server has. */
const COMMON = argsOf(serverCommand({ name: '', description: '', run: async () => {} }))

/** The reference of the command line, from the definitions of its commands. */
export function renderReference (): string {
  const commands = leavesOf(root, [])
  return `# Command line: reference

<!-- Written from packages/cli by npm run docs -->

How it finds a server and a token, its exit codes and what \`webhooks listen\` does:
[packages/cli](../packages/cli/README.md).

Options of every command that asks the server:

${tableOf(COMMON)}

${commands.map(section).join('\n\n')}
`
}

function leavesOf (command: CommandDef, path: string[]): [string[], CommandDef][] {
  const children = Object.values(subCommandsOf(command))
  if (children.length === 0) return [[path, command]]
  return children.flatMap(child => leavesOf(child, [...path, nameOf(child)]))
}

function argsOf ({ args }: CommandDef): ArgsDef {
  return (args ?? {}) as ArgsDef
}

function section ([path, command]: [string[], CommandDef]): string {
  const args = argsOf(command)
  const positional = Object.entries(args).filter(([, { type }]) => type === 'positional')
  const optional = (name: string) => name === 'id' ? '[id…]' : `[${name}]` // ids are any number
  const places = positional.map(([name, { required }]) => required === false ? optional(name) : `<${name}>`)
  const own = Object.fromEntries(Object.entries(args).filter(([name, definition]) => COMMON[name] !== definition))
  const table = Object.keys(own).length > 0 ? `\n\n${tableOf(own)}` : ''
  return `## ${path.join(' ')}\n\n${describe(command)}.\n\n\`\`\`sh\n${['tidings', ...path, ...places].join(' ')}\n\`\`\`${table}`
}

function tableOf (args: ArgsDef): string {
  const rows = Object.entries(args).map(([name, definition]) => {
    const { type, description = '', default: fallback } = definition
    const hint = 'valueHint' in definition && definition.valueHint ? ` ${definition.valueHint}` : ''
    const option = type === 'positional' ? `<${name}>` : `--${name}${hint}`
    return `| \`${option}\` | ${description.replaceAll('|', '\\|')} | ${fallback === undefined ? '' : `\`${fallback}\``} |`
  })
  return ['| option | meaning | default |', '|---|---|---|', ...rows].join('\n')
}

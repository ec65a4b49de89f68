import type { ArgsDef, CommandDef } from 'citty'
import { localCommand } from '../command.ts'
import { describe, nameOf, subCommandsOf } from '../command-tree.ts'
import { UsageError } from '../failure.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = typeof SHELLS[number]

export const completion = localCommand({
  name: 'completion',
  description: 'Print a script for bash, zsh or fish that completes commands and options',
  args: { shell: { type: 'positional', required: true, description: 'bash, zsh or fish' } },
  run: async ({ args, out }) => {
    const shell = SHELLS.find(name => name === args.shell)
    if (!shell) throw new UsageError(`completion takes ${SHELLS.join(', ')}, not ${args.shell}`)
    const { root } = await import('../root.ts') // which holds this command
    const script = completionScript(shell, root)
    out.value({ shell, script }, () => script)
  }
})

interface Choice { name: string, description: string }

/** By the words before the cursor, without options: what may follow. `tidings jobs` takes the options of its list. */
function choicesOf (command: CommandDef, path: string[] = []): [string, Choice[]][] {
  const { ls, ...others } = subCommandsOf(command)
  const children = [...(ls ? [ls] : []), ...Object.values(others)]
  const options = Object.entries(((ls ?? command).args ?? {}) as ArgsDef)
    .filter(([, { type }]) => type !== 'positional')
    .map(([name, { description = '' }]) => ({ name: `--${name}`, description }))
  const own = [...children.map(child => ({ name: nameOf(child), description: describe(child) })), ...options]
  return [[path.join(' '), own], ...children.flatMap(child => choicesOf(child, [...path, nameOf(child)]))]
}

export function completionScript (shell: Shell, root: CommandDef): string {
  const all = choicesOf(root)
  switch (shell) {
    case 'bash': return bash(all)
    case 'zsh': return zsh(all)
    case 'fish': return fish(all)
    default: return shell satisfies never
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Words of the command line that name a command: neither options nor what follows the command. */
const PATH = (words: string, from: number) => `  local path='' word
  for word in "\${${words}[@]:${from}}"; do
    case "$word" in
      -*) break ;;
      *) case "\${path:+$path }$word" in
KNOWN
        *) break ;;
      esac ;;
    esac
  done`

function pathLoop (all: [string, Choice[]][], words: string, from: number): string {
  const known = all.map(([path]) => path).filter(path => path !== '')
    .map(path => `        ${quoted(path)}) path="\${path:+$path }$word" ;;`)
  return PATH(words, from).replace('KNOWN', () => known.join('\n'))
}

function bash (all: [string, Choice[]][]): string {
  const cases = all.map(([path, choices]) =>
    `    ${quoted(path)}) choices=${quoted(choices.map(({ name }) => name).join(' '))} ;;`)
  return `# tidings completion bash > /etc/bash_completion.d/tidings
_tidings() {
  local current="\${COMP_WORDS[COMP_CWORD]}" choices=''
  local before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${pathLoop(all, 'before', 0)}
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -o default -F _tidings tidings`
}

function zsh (all: [string, Choice[]][]): string {
  const cases = all.map(([path, choices]) => {
    const described = choices.map(({ name, description }) => quoted(`${name}:${description.replaceAll(':', '\\:')}`))
    return `    ${quoted(path)}) choices=(${described.join(' ')}) ;;`
  })
  return `#compdef tidings
# tidings completion zsh > "\${fpath[1]}/_tidings"
_tidings() {
  local -a choices before
  before=("\${(@)words[2,CURRENT-1]}")
${pathLoop(all, 'before', 0)}
  case "$path" in
${cases.join('\n')}
  esac
  _describe 'tidings' choices || _files
}
compdef _tidings tidings`
}

function fish (all: [string, Choice[]][]): string {
  const lines = all.flatMap(([path, choices]) => {
    const words = path === '' ? [] : path.split(' ')
    const children = all.filter(([other]) => other.startsWith(path === '' ? '' : `${path} `) && other !== path)
      .map(([other]) => other.split(' ')[words.length] as string)
    const seen = words.map(word => `__fish_seen_subcommand_from ${word}`)
    const unseen = children.length > 0 ? [`not __fish_seen_subcommand_from ${[...new Set(children)].join(' ')}`] : []
    const condition = [...seen, ...unseen].join('; and ') || 'true'
    return choices.map(({ name, description }) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-a ${name}`
      return `complete -c tidings -f -n ${quoted(condition)} ${what} -d ${quoted(description)}`
    })
  })
  return `# tidings completion fish > ~/.config/fish/completions/tidings.fish\n${lines.join('\n')}`
}

import { defineCommand, type ArgsDef, type CommandDef, type ParsedArgs } from 'citty'
import type { Client } from 'tidings'
import { connect } from './connect.ts'
import { UsageError } from './failure.ts'
import { interruption } from './interruption.ts'
import { Output } from './output.ts'
import { readSettings, type ConnectionArgs, type Settings } from './settings.ts'

const OUTPUT_ARGS = {
  json: { type: 'boolean', description: 'Print JSON: one line for each value' }
} satisfies ArgsDef

export const CONNECTION_ARGS = {
  url: { type: 'string', valueHint: 'URL', description: 'The server (TIDINGS_URL)' },
  token: { type: 'string', valueHint: 'TOKEN', description: 'The access token (TIDINGS_TOKEN)' },
  profile: { type: 'string', valueHint: 'NAME', description: 'The profile of tidings login (TIDINGS_PROFILE)' },
  user: { type: 'string', valueHint: 'ID', description: 'As an operator: the user whom it is about' }
} satisfies ArgsDef

type CommonArgs = typeof CONNECTION_ARGS & typeof OUTPUT_ARGS

/** What a command gets to work with. */
export interface Tools<Args extends ArgsDef> {
  args: ParsedArgs<Args>
  /** All positional arguments. */
  positionals: string[]
  out: Output
  /** Aborts with Ctrl-C. */
  signal: AbortSignal
}

export interface ServerTools<Args extends ArgsDef> extends Tools<Args> {
  settings: Settings
  client: Client
}

interface Definition<Args extends ArgsDef> {
  name: string
  description: string
  args?: Args
  /** Takes any number of positional arguments, not only those that it names. */
  isVariadic?: boolean
  /** Reads the JSON of responses and events; `parseExact` by default. */
  parse?: (text: string) => unknown
}

/** A command that asks the server; the client is closed when it ends. */
export function serverCommand<const Args extends ArgsDef = {}> (
  definition: Definition<Args> & { run: (tools: ServerTools<Args & CommonArgs>) => Promise<void> }
): CommandDef {
  const { args = {}, parse, run } = definition
  return localCommand({
    ...definition,
    args: { ...args, ...CONNECTION_ARGS },
    run: async tools => await withClient(tools.args as ConnectionArgs, async (client, settings) => {
      await run({ ...tools, settings, client } as never)
    }, parse)
  })
}

/** Runs with a client of the server that the options name, and closes it. */
export async function withClient (
  args: ConnectionArgs, run: (client: Client, settings: Settings) => Promise<void>, parse?: (text: string) => unknown
): Promise<void> {
  const settings = await readSettings(args)
  const client = connect(settings, parse)
  try {
    await run(client, settings)
  } finally {
    client.close()
  }
}

/** A command that needs no server. */
export function localCommand<const Args extends ArgsDef = {}> (
  definition: Definition<Args> & { run: (tools: Tools<Args & typeof OUTPUT_ARGS>) => Promise<void> }
): CommandDef {
  const { name, description, args = {}, isVariadic = false, run } = definition
  const all: ArgsDef = { ...args, ...OUTPUT_ARGS }
  return defineCommand({
    meta: { name, description },
    args: all,
    run: async ({ args, rawArgs }) => {
      checkArgs(args, rawArgs, all, isVariadic)
      const signal = interruption()
      await run({ args: args as never, positionals: args._, out: new Output(args.json === true), signal })
    }
  }) as CommandDef
}

/** citty lets unknown options and missing values pass. */
function checkArgs (args: ParsedArgs, rawArgs: string[], known: ArgsDef, isVariadic: boolean): void {
  const names = new Set(Object.keys(known).flatMap(name => [name, camelCase(name)]))
  for (const [name, value] of Object.entries(args as Record<string, unknown>)) {
    if (name === '_') continue
    if (!names.has(name)) throw new UsageError(`There is no option ${name.length === 1 ? '-' : '--'}${name}`)
    if (known[name]?.type === 'string' && value === '' && !rawArgs.includes(`--${name}=`)) {
      throw new UsageError(`--${name} needs a value; of one that begins with a dash: --${name}=VALUE`)
    }
  }
  const places = Object.values(known).filter(({ type }) => type === 'positional').length
  const extra = args._[places]
  if (!isVariadic && extra !== undefined) throw new UsageError(`What is ${extra}? The command takes no such argument`)
}

const camelCase = (name: string) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The values of an option that may be given several times; citty keeps the last. */
export function valuesOf (name: string, rawArgs: readonly string[] = process.argv): string[] {
  return rawArgs.flatMap((arg, n) => {
    if (arg.startsWith(`--${name}=`)) return [arg.slice(name.length + 3)]
    const next = rawArgs[n + 1]
    return arg === `--${name}` && next !== undefined ? [next] : []
  })
}

import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The exit code of a wrong command line, as of `tidings`. */
const WRONG_USAGE = 2

type CommandLine = Pick<ParseArgsConfig, 'allowPositionals'> & {
  /** What `--help` prints, and a wrong command line after its fault. */
  usage: string
  options?: ParseArgsConfig['options']
}

type Parsed<Line extends CommandLine> = ReturnType<typeof parseArgs<{
  options: Line['options'] & { help: { type: 'boolean' } }
  allowPositionals: Line['allowPositionals'] extends true ? true : false
}>>

/** A fault of the command line beyond unknown options: a number out of its range, an unknown name. */
export class UsageError extends Error {}

/**
 * The options and positionals of a script. `--help` and `-h` print the usage and end the process with 0; an unknown
 * option, a missing value or a superfluous argument end it with 2 and one message.
 */
export function readCommandLine<const Line extends CommandLine> (line: Line): Parsed<Line> {
  const { usage, options = {}, allowPositionals = false } = line
  try {
    const parsed = parseArgs({
      options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals
    }) as Parsed<Line>
    if (!(parsed.values as { help?: boolean }).help) return parsed
  } catch (err) {
    // Node adds how to pass a file whose name starts with a dash.
    const [fault] = (err as Error).message.split('. ')
    process.stderr.write(`${fault}\n\n${usage.trim()}\n`)
    process.exit(WRONG_USAGE)
  }
  process.stdout.write(`${usage.trim()}\n`)
  process.exit()
}

/** Reports why a script ends: the message of a UsageError, and of any other error its stack too. */
export function reportEnd (err: unknown): void {
  const isUsage = err instanceof UsageError
  console.error(!isUsage && err instanceof Error ? err.stack : err instanceof Error ? err.message : err)
  process.exitCode = isUsage ? WRONG_USAGE : 1
}

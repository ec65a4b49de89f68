#!/usr/bin/env node
import { stripVTControlCharacters } from 'node:util'
import { runCommand } from 'citty'
import { commandAt, withDefaults } from './command-tree.ts'
import { EXIT, exitCodeOf, UsageError } from './failure.ts'
import { Output } from './output.ts'
import { root } from './root.ts'
import { usage } from './usage.ts'
import { VERSION } from './version.ts'

const rawArgs = withDefaults(root, process.argv.slice(2))
const wants = (...flags: string[]) =>
  (rawArgs.includes('--') ? rawArgs.slice(0, rawArgs.indexOf('--')) : rawArgs).some(arg => flags.includes(arg))

// The reader has enough: `tidings jobs | head`.
process.stdout.on('error', (err: NodeJS.ErrnoException) => {
  process.exit(err.code === 'EPIPE' ? EXIT.ok : EXIT.failed)
})

try {
  const { command, parent, isGroup } = commandAt(root, rawArgs)
  if (wants('--version', '-v') && command === root) process.stdout.write(`${VERSION}\n`)
  else if (wants('--help', '-h')) process.stdout.write(await usage(command, parent))
  else if (isGroup) {
    const [option] = rawArgs.filter(arg => arg.startsWith('-'))
    if (option !== undefined) throw new UsageError(`${option} stands where a command is expected: options follow it`)
    process.stderr.write(await usage(command, parent))
    process.exitCode = EXIT.usage
  } else await runCommand(root, { rawArgs })
} catch (err) {
  const failure = err instanceof Error && err.name === 'CLIError'
    ? new UsageError(stripVTControlCharacters(err.message))
    : err
  process.exitCode = exitCodeOf(failure)
  new Output(wants('--json')).error(failure)
  const isUsage = failure instanceof UsageError && !wants('--json')
  if (isUsage) process.stderr.write('tidings COMMAND --help says what it takes\n')
}
// A prompt or a pipe that was left open must not keep the program.
process.stdin.unref?.()

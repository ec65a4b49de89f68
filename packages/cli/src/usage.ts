import { stripVTControlCharacters } from 'node:util'
import { renderUsage, type CommandDef } from 'citty'
import { nameOf } from './command-tree.ts'
import { root } from './root.ts'

/** What all commands share. */
const GENERAL = `
EXIT CODES

  0    done
  1    a watched job failed, a check of doctor failed, a signature is not valid, or another error
  2    the command line or its input is wrong
  3    the token is missing, refused, or lacks a scope
  4    not found
  5    nothing answers, or what answers is unavailable
  130  interrupted

ENVIRONMENT

  TIDINGS_URL, TIDINGS_TOKEN  the server and the access token, where no option names them
  TIDINGS_PROFILE             the profile of tidings login, where --profile names none
  BROWSER                     the command with which tidings open opens an address
  NO_COLOR                    no colours

Every command takes --json. To begin: tidings login --url https://tidings.example
`

/** The help of a command; that of the root, which has no parent, says what all commands share. */
export async function usage (command: CommandDef, parent: CommandDef | undefined): Promise<string> {
  const name = nameOf(parent ?? {})
  const above = parent && { ...parent, meta: { name: parent === root ? name : `${nameOf(root)} ${name}` } }
  const help = `${await renderUsage(command, above)}${parent ? '' : `\n${GENERAL}`}`
  const text = help.replace(/ +$/gm, '').trimEnd()
  return `${process.stdout.isTTY && !process.env.NO_COLOR ? text : stripVTControlCharacters(text)}\n`
}

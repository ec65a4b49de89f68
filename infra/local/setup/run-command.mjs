import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Runs the script of a command under the pinned Node: in this process if it is that Node, else in a child process. */
export async function runCommand ({ node, script, args, root }) {
  process.env.PATH = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  if (realpathSync(process.execPath) === realpathSync(node)) {
    process.argv = [process.argv[0], script, ...args]
    await import(pathToFileURL(script).href)
    return
  }
  process.exitCode = await runChild(node, [script, ...args])
}

async function runChild (node, args) {
  const child = spawn(node, args, { stdio: 'inherit' })
  // Ctrl-C reaches the child too; this process must only outlive it, and forward signals that were sent to it alone.
  const forward = signal => { child.kill(signal) }
  for (const signal of FORWARDED) process.on(signal, forward)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })
}

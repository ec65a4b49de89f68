// Runs first in `npm start` and the other commands, on any Node from 18 on and before anything is installed: plain
// JavaScript without dependencies. It installs the dependencies and hands over to the pinned Node.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { areDependenciesCurrent, installDependencies, pinnedNode } from './setup/dependencies.mjs'
import { runCommand } from './setup/run-command.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [command = '', ...args] = process.argv.slice(2)
const script = join(root, 'infra', 'local', 'src', `${command}.ts`)

try {
  await main()
} catch (err) {
  console.error(err instanceof Error ? err.message : err)
  process.exitCode = 1
}

async function main () {
  if (!/^[a-z-]+$/.test(command) || !existsSync(script)) throw new Error(`There is no command ${command}`)
  if (Number.parseInt(process.versions.node, 10) < 18) {
    throw new Error(`Node ${process.versions.node} is too old: 18 or newer is needed`)
  }
  if (!areDependenciesCurrent(root)) await installDependencies(root)
  await runCommand({ node: pinnedNode(root), script, args, root })
}

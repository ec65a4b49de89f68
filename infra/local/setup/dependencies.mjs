import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Settings differ by major version: 12 alone reads `allowBuilds`, without which the pinned Node is never fetched. */
const PNPM = 'pnpm@12.21.0'
const NODE_TIMEOUT_MS = 20_000

/** The Node that this checkout pins, once the dependencies are there. */
export function pinnedNode (root) {
  return join(root, 'node_modules', 'node', 'bin', 'node')
}

/**
 * Whether node_modules holds what pnpm-lock.yaml asks for. pnpm copies the lockfile into node_modules when an install
 * is through, so an install that was cut short, or an older one, shows here in a few milliseconds.
 */
export function areDependenciesCurrent (root) {
  const installed = readText(join(root, 'node_modules', '.pnpm', 'lock.yaml'))
  return installed !== undefined &&
    installed === readText(join(root, 'pnpm-lock.yaml')) &&
    members(root).every(member => existsSync(join(root, member, 'node_modules'))) &&
    runs(pinnedNode(root))
}

/** pnpm through the npx that every npm brings. */
export async function installDependencies (root) {
  console.error(`Installing the dependencies with ${PNPM} (about half a minute the first time) …`)
  const code = await inherit('npx', ['-y', PNPM, 'install', '--frozen-lockfile'], root)
  if (code !== 0) throw new Error(`Installing the dependencies failed (exit code ${code}); the reason stands above.`)
  if (!runs(pinnedNode(root))) throw new Error(`The dependencies are installed, but ${pinnedNode(root)} does not run on this machine.`)
}

// The importers of the lockfile, which are the workspace's members: '.', packages/contracts and so on.
function members (root) {
  const lockfile = readText(join(root, 'pnpm-lock.yaml')) ?? ''
  const importers = /^importers:\n([\s\S]*?)^\S/m.exec(lockfile)?.[1] ?? ''
  return [...importers.matchAll(/^ {2}(\S+):$/gm)].map(match => match[1])
}

function runs (node) {
  return existsSync(node) && spawnSync(node, ['--version'], { timeout: NODE_TIMEOUT_MS }).status === 0
}

function readText (file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

async function inherit (command, args, cwd) {
  return await new Promise((resolve, reject) => {
    // No stdin and CI: pnpm asks nothing, and prints its progress line by line.
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CI: 'true' } })
    child.once('error', err => reject(new Error(`${command} could not be run (${err.message}). It comes with npm, which has to be on PATH.`)))
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
}

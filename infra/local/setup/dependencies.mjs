import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The settings are those of pnpm 12: no other version reads `allowBuilds`, without which the pinned Node is not
 * fetched.
 */
const PNPM = 'pnpm@12.21.0'
const NODE_TIMEOUT_MS = 20_000

/** The Node that this checkout pins; it is there once the dependencies are installed. */
export function pinnedNode (root) {
  return join(root, 'node_modules', 'node', 'bin', 'node')
}

/**
 * Whether node_modules matches pnpm-lock.yaml. pnpm copies the lockfile into node_modules at the end of an install, so
 * an interrupted or older install is detected in a few milliseconds.
 */
export function areDependenciesCurrent (root) {
  const installed = readText(join(root, 'node_modules', '.pnpm', 'lock.yaml'))
  return installed !== undefined &&
    installed === readText(join(root, 'pnpm-lock.yaml')) &&
    members(root).every(member => existsSync(join(root, member, 'node_modules'))) &&
    runs(pinnedNode(root))
}

/** Runs pnpm through npx, which is part of every npm. */
export async function installDependencies (root) {
  console.error(`Installing the dependencies with ${PNPM} (about half a minute the first time) …`)
  const code = await inherit('npx', ['-y', PNPM, 'install', '--frozen-lockfile'], root)
  if (code !== 0) throw new Error(`Installing the dependencies failed (exit code ${code}); the reason is above.`)
  if (!runs(pinnedNode(root))) {
    throw new Error(`The dependencies are installed, but ${pinnedNode(root)} does not run on this machine.`)
  }
}

// The importers of the lockfile are the members of the workspace: '.', packages/contracts and so on.
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
    // Without stdin and with CI set, pnpm asks no questions and prints its progress line by line.
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CI: 'true' }
    })
    child.once('error', err =>
      reject(new Error(`${command} could not be run (${err.message}). It is part of npm, which must be on PATH.`)))
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
}

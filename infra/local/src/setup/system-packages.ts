import { spawn } from 'node:child_process'
import { findExecutable } from '@tidings/dev-servers'

const INSTALL_TIMEOUT_MS = 10 * 60_000

interface Manager {
  command: string
  /** Tried in turn until one succeeds. */
  installs: (name: string) => string[][]
  needsRoot: boolean
}

const MANAGERS = {
  apt: {
    command: 'apt-get',
    installs: name => [
      ['apt-get', 'install', '-y', '--no-install-recommends', name],
      ['apt-get', 'update'], // a fresh image has no lists
      ['apt-get', 'install', '-y', '--no-install-recommends', name]
    ],
    needsRoot: true
  },
  apk: { command: 'apk', installs: name => [['apk', 'add', '--no-cache', name]], needsRoot: true },
  dnf: { command: 'dnf', installs: name => [['dnf', 'install', '-y', name]], needsRoot: true },
  brew: { command: 'brew', installs: name => [['brew', 'install', name]], needsRoot: false }
} satisfies Record<string, Manager>

/** The name of a package in each package manager that has it. */
export type PackageNames = Partial<Record<keyof typeof MANAGERS, string>>

/**
 * Installs a package where that needs no password: as root, with passwordless sudo, or with Homebrew. Returns whether
 * it was installed.
 */
export async function installSystemPackage (names: PackageNames, report: (line: string) => void): Promise<boolean> {
  for (const [key, manager] of Object.entries(MANAGERS)) {
    const name = names[key as keyof typeof MANAGERS]
    if (name === undefined || findExecutable([manager.command]) === undefined) continue
    const prefix = manager.needsRoot ? await rootPrefix() : []
    if (prefix === undefined) continue
    report(`Installing ${name} with ${manager.command} …`)
    return await install(manager.installs(name), prefix)
  }
  return false
}

async function install (commands: string[][], prefix: string[]): Promise<boolean> {
  const last = commands.at(-1)
  for (const command of commands) {
    const done = await succeeds([...prefix, ...command])
    if (done && command.at(-1) === last?.at(-1)) return true
  }
  return false
}

/** The prefix that makes a command run as root; undefined when that would need a password. */
async function rootPrefix (): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return []
  const sudo = findExecutable(['sudo'])
  return sudo !== undefined && await succeeds([sudo, '-n', 'true']) ? [sudo, '-n'] : undefined
}

async function succeeds ([command = '', ...args]: string[]): Promise<boolean> {
  const child = spawn(command, args, {
    // All output goes to stderr: stdout belongs to the command that needs the package.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' },
    timeout: INSTALL_TIMEOUT_MS
  })
  return await new Promise(resolve => {
    child.once('error', () => resolve(false))
    child.once('exit', code => resolve(code === 0))
  })
}

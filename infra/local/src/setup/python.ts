import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findExecutable } from '@tidings/dev-servers'
import { root } from '../root.ts'
import { installSystemPackage } from './system-packages.ts'

const REQUIREMENTS = new URL('./python-requirements.txt', import.meta.url)
const INSTALL_TIMEOUT_MS = 10 * 60_000
/** The oldest version that the packages support, with the modules that a virtual environment needs. */
const IS_RECENT = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'

/**
 * A Python with the packages of python-requirements.txt, in a virtual environment of this checkout: an existing one, or
 * a new one where CI or TIDINGS_TEST_PYTHON is `true`. Without it, tests that need Python are skipped.
 */
export async function ensurePython (report: (line: string) => void): Promise<string | undefined> {
  const folder = join(root, '.local', 'python')
  const python = join(folder, 'bin', 'python')
  const stamp = join(folder, 'installed')
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python
  if (process.env.CI !== 'true' && process.env.TIDINGS_TEST_PYTHON !== 'true') return undefined

  const base = await findPython(report)
  if (base === undefined) {
    report('There is no Python 3.10 with venv on this machine, and none could be installed without a password.')
    return undefined
  }
  report('Installing the Python packages that tests need …')
  rmSync(folder, { recursive: true, force: true })
  const isDone = await runs([base, '-m', 'venv', folder]) &&
    await runs([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS.pathname])
  if (isDone) writeFileSync(stamp, wanted)
  return isDone ? python : undefined
}

async function findPython (report: (line: string) => void): Promise<string | undefined> {
  if (isUsable()) return findExecutable(['python3'])
  await installSystemPackage({ apt: 'python3-venv', apk: 'python3', dnf: 'python3', brew: 'python3' }, report)
  return isUsable() ? findExecutable(['python3']) : undefined
}

function isUsable (): boolean {
  const python = findExecutable(['python3'])
  if (python === undefined) return false
  try {
    execFileSync(python, ['-c', IS_RECENT], { stdio: 'ignore' })
    return true
  } catch {
    return false // too old, or Debian's without venv
  }
}

async function runs ([command = '', ...args]: string[]): Promise<boolean> {
  const child = spawn(command, args, { stdio: ['ignore', 2, 2], timeout: INSTALL_TIMEOUT_MS })
  return await new Promise(resolve => {
    child.once('error', () => resolve(false))
    child.once('exit', code => resolve(code === 0))
  })
}

import { findExecutable } from '@tidings/dev-servers'
import { installSystemPackage } from './system-packages.ts'

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A browser for the browser tests: the one on PATH, else Debian's where it can be installed without a password. */
export async function ensureChromium (report: (line: string) => void): Promise<string | undefined> {
  const found = findExecutable(COMMANDS)
  if (found !== undefined) return found
  await installSystemPackage({ apt: 'chromium' }, report)
  return findExecutable(COMMANDS)
}

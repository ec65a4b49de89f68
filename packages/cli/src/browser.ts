import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A command that still runs then has become the browser. */
const PATIENCE_MS = 2000
/** What a browser has no use for; its environment can be read for as long as it runs. */
const SECRETS = ['TIDINGS_TOKEN', 'TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'WEBHOOK_SECRET']

/**
 * Opens an address in the browser of the system, or with the command in BROWSER. Resolves with false where there is
 * none. The address is seen by everyone who may list the processes of this machine: it must hold no secret.
 */
export async function openInBrowser (url: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  for (const [command, args] of commandsOf(process.platform, env)) {
    if (await starts(command, [...args, url], env)) return true
  }
  return false
}

/** The commands to try, with their first arguments. */
export function commandsOf (platform: NodeJS.Platform, env: NodeJS.ProcessEnv): [command: string, args: string[]][] {
  const [own = '', ...args] = (env.BROWSER ?? '').split(' ').filter(Boolean)
  if (own) return [[own, args]]
  if (platform === 'darwin') return [['open', []]]
  if (platform === 'win32') return [['rundll32', ['url.dll,FileProtocolHandler']]]
  const hasScreen = ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some(name => env[name])
  return hasScreen ? [['xdg-open', []], ['wslview', []]] : []
}

async function starts (command: string, args: string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !SECRETS.includes(name)))
  const child = spawn(command, args, { detached: true, stdio: 'ignore', env: own })
  const patience = AbortSignal.timeout(PATIENCE_MS)
  try {
    const [code] = await once(child, 'exit', { signal: patience }) as [number | null]
    return code === 0
  } catch {
    return patience.aborted // else there is no such command
  } finally {
    child.unref()
  }
}

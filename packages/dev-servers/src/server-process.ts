import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const LOG_TAIL = 2_000
const POLL_MS = 20

// Running servers. A process that ends without stopping them (an uncaught exception) must not leave them behind.
const running = new Map<ChildProcess, NodeJS.Signals>()
process.on('exit', () => {
  for (const [child, signal] of running) child.kill(signal)
})

export class ServerStartError extends Error {
  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServerStartError'
  }
}

export interface ServerExit { code: number | null, signal: NodeJS.Signals | null }

export interface ServerProcess {
  pid: number
  process: ChildProcess
  /** Resolves when the process has ended, in any way. */
  exited: Promise<ServerExit>
  /** Terminates the process, and kills it after a bounded time. May be called twice. */
  stop: () => Promise<void>
}

export interface ServerCommand {
  name: string
  command: string
  args: string[]
  /** Receives stdout and stderr, appended. */
  log: string
  stopSignal: NodeJS.Signals
  stopTimeoutMs: number
  uid?: number | undefined
  gid?: number | undefined
  env?: NodeJS.ProcessEnv | undefined
  cwd?: string | undefined
}

/**
 * Starts a server as a child in its own process group, so that Ctrl-C in a terminal reaches its supervisor and not the
 * server, which has to end last. Output goes to a file, not through a pipe: if the supervisor is killed, a broken pipe
 * must not end the server in the middle of a write.
 */
export async function spawnServer (server: ServerCommand): Promise<ServerProcess> {
  const fd = openSync(server.log, 'a')
  try {
    const child = spawn(server.command, server.args, {
      stdio: ['ignore', fd, fd],
      detached: true,
      cwd: server.cwd ?? '/',
      ...(server.env === undefined ? {} : { env: server.env }),
      ...(server.uid === undefined ? {} : { uid: server.uid }),
      ...(server.gid === undefined ? {} : { gid: server.gid })
    })
    const exited = new Promise<ServerExit>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    await spawned(child, server)
    return handle(child, exited, server)
  } finally {
    closeSync(fd)
  }
}

/** Waits until `isReady`; fails with the end of the server's log if it ends before or takes too long. */
export async function waitUntilReady (
  server: ServerProcess,
  { name, log, isReady, timeoutMs }: { name: string, log: string, isReady: () => Promise<boolean>, timeoutMs: number }
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!await isReady()) {
    const ended = endOf(server.process)
    if (ended !== undefined) {
      throw new ServerStartError(`${name} ended at its start (${describeExit(ended)})${tailOf(log)}`)
    }
    if (Date.now() > deadline) {
      await server.stop()
      throw new ServerStartError(`${name} was not ready after ${timeoutMs} ms${tailOf(log)}`)
    }
    await sleep(POLL_MS)
  }
}

export function describeExit (exit: ServerExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : exit.signal
}

function handle (child: ChildProcess, exited: Promise<ServerExit>, server: ServerCommand): ServerProcess {
  const pid = child.pid as number
  running.set(child, server.stopSignal)
  child.once('exit', () => running.delete(child))

  const stop = async () => {
    child.kill(server.stopSignal)
    const timer = setTimeout(() => child.kill('SIGKILL'), server.stopTimeoutMs)
    await exited
    clearTimeout(timer)
  }
  return { pid, process: child, exited, stop }
}

function endOf ({ exitCode: code, signalCode: signal }: ChildProcess): ServerExit | undefined {
  return code === null && signal === null ? undefined : { code, signal }
}

async function spawned (child: ChildProcess, server: ServerCommand): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
  } catch (err) {
    throw new ServerStartError(`${server.name} could not be started (${server.command})`, { cause: err })
  }
}

function tailOf (log: string): string {
  try {
    const text = readFileSync(log, 'utf8').trimEnd()
    return text === '' ? '' : `. Its log ends with:\n${text.slice(-LOG_TAIL)}`
  } catch {
    return ''
  }
}

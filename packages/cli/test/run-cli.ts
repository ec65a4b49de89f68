import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileCache, temporaryFolder, type TestContext } from '@tidings/testing'
import { writeCommandLine } from '../../client/scripts/command-line.ts'

const RUN_MANY = fileURLToPath(new URL('./fixtures/run-many.ts', import.meta.url))

/** As it is published: one file, which starts four times as fast as the sources. */
export async function buildCli (t: TestContext): Promise<string> {
  const folder = temporaryFolder(t, 'cli')
  await writeCommandLine(folder)
  return join(folder, 'cli.js')
}

export interface Ran { code: number | null, stdout: string, stderr: string }

export interface Cli {
  /** Runs it to its end. */
  run: (args: string[], options?: { input?: string, env?: Record<string, string> }) => Promise<Ran>
  /** Runs it once for each list of arguments, one after the other in one process. */
  runMany: (lists: string[][], env?: Record<string, string>) => Promise<Ran[]>
  /** Starts it; it is ended with the test. */
  start: (args: string[]) => Started
  /** Values of `--json`, one for each line. */
  json: (args: string[]) => Promise<unknown[]>
  /** Where its files are. */
  home: string
}

export interface Started {
  child: ChildProcess
  output: () => { stdout: string, stderr: string }
  /** Resolves once what it has printed, on either stream, matches. */
  shows: (pattern: RegExp) => Promise<void>
  ended: Promise<Ran>
}

/** The command line as a process of its own, with a home of its own. */
export function cliOf (t: TestContext, main: string, env: Record<string, string> = {}): Cli {
  const home = temporaryFolder(t, 'home')
  const start = (args: string[], more: Record<string, string> = {}, input = '', script = [main]): Started => {
    const child = spawn(process.execPath, [...script, ...args], {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        XDG_CONFIG_HOME: `${home}/config`,
        XDG_STATE_HOME: `${home}/state`,
        ...compileCache(),
        ...env,
        ...more
      }
    })
    t.teardown(() => { child.kill('SIGKILL') })
    child.stdin.on('error', () => {}) // it may end before it has read everything
    child.stdin.end(input)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
    return {
      child,
      output: () => ({ stdout, stderr }),
      ended,
      shows: async pattern => {
        while (!pattern.test(stdout) && !pattern.test(stderr)) {
          if (child.exitCode !== null) throw new Error(`It ended (${child.exitCode}) without ${pattern}: ${stdout}\n${stderr}`)
          await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'close')])
        }
      }
    }
  }
  const run: Cli['run'] = async (args, { input, env } = {}) => await start(args, env, input).ended
  return {
    run,
    runMany: async (lists, env) => {
      const { stdout, stderr, code } = await start([main, JSON.stringify(lists)], env, '', [RUN_MANY]).ended
      if (code !== 0) throw new Error(`${RUN_MANY} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout) as Ran[]
    },
    start: args => start(args),
    home,
    json: async args => {
      const { code, stdout, stderr } = await run([...args, '--json'])
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
      return stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as unknown)
    }
  }
}

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../root.ts'

const POLL_MS = 50
const TIMEOUT_MS = 60_000

export interface RunningScript {
  output: () => string
  /** Waits for this output; rejects with the whole output when the script ends before or takes too long. */
  writes: (wanted: string | RegExp) => Promise<void>
  stop: () => Promise<void>
}

/** The folders of the workspace that contain the packages which the document's code requires. */
const NODE_PATH = ['infra/local', 'examples/express-receiver']
  .map(member => join(root, member, 'node_modules'))
  .join(delimiter)

/** Runs code as a CommonJS script in a process of its own. It may use await at the top level, as the examples do. */
export function runScript (code: string): RunningScript {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-example-'))
  const file = join(folder, 'example.cjs')
  writeFileSync(file, `(async () => {\n${code}\n})().catch(err => { console.error(err); process.exit(1) })\n`)
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, NODE_PATH },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  }
  const closed = new Promise<void>(resolve => { child.once('close', () => resolve()) })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null

  return {
    output: () => output,
    writes: async wanted => {
      const isThere = () => typeof wanted === 'string' ? output.includes(wanted) : wanted.test(output)
      for (const deadline = Date.now() + TIMEOUT_MS; !isThere() && !hasEnded() && Date.now() < deadline;) {
        await sleep(POLL_MS)
      }
      if (hasEnded()) await closed // for the rest of its output
      if (!isThere()) throw new Error(`It did not write ${String(wanted)}, but:\n${output}`)
    },
    stop: async () => {
      child.kill('SIGKILL')
      await closed
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

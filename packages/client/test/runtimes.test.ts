import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import t from 'tap'
import { temporaryFolder } from '@tidings/testing'
import { startCounting } from './system.ts'

const exec = promisify(execFile)
const TIMEOUT_MS = 120_000
const CHANNELS = ['websocket', 'sse', 'poll'] as const

const system = await startCounting(t)
const url = system.endpoints.edge as string
const folder = temporaryFolder(t, 'runtimes')
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('./fixtures/any-runtime.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  write: false
})
const code = outputFiles[0]?.text as string

const expected = (channel: string) =>
  ({ result: { counted: 5 }, progress: channel === 'poll' ? 0 : 5, refused: 'invalid_signature' })

/** What Workers and the like have. */
const WEB = [
  'AbortController', 'AbortSignal', 'Headers', 'Request', 'Response', 'TextDecoder', 'TextEncoder', 'URL',
  'URLSearchParams', 'WebSocket', 'atob', 'btoa', 'clearTimeout', 'crypto', 'fetch', 'queueMicrotask', 'setTimeout'
] as const

t.test('it needs nothing but web APIs', async t => {
  for (const channel of CHANNELS) {
    const input = { url, token: system.token(`web ${channel}`), channels: [channel] }
    let print: (line: string) => void = () => {}
    const printed = new Promise<string>(resolve => { print = resolve })
    const globals = Object.fromEntries(WEB.map(name => [name, globalThis[name]]))
    const context = createContext({ ...globals, INPUT: input, console: { log: print } })
    const script = code.replace(/^export \{[^}]*\};?/m, '')
    const done = runInContext(`(async () => {${script}\n})()`, context) as Promise<void>
    t.same(JSON.parse(await Promise.race([printed, done.then(async () => await printed)])), expected(channel), channel)
  }
})

const isOldNode = async (path: string) =>
  existsSync(path) && /^v2[01]\./.test((await exec(path, ['--version'])).stdout)
const node20 = process.env.TIDINGS_TEST_NODE20 ?? '/usr/bin/node'

t.test('Node 20', { skip: !await isOldNode(node20) && 'no Node 20: set TIDINGS_TEST_NODE20' }, async t => {
  await testRuntime(t, { command: node20, args: [], channels: ['sse', 'poll'] }) // Node 20 has no WebSocket
})

for (const [name, args] of [['deno', ['run', '--allow-net']], ['bun', ['run']]] as const) {
  t.test(name, {
    skip: process.env.TIDINGS_TEST_RUNTIMES !== 'true' && `TIDINGS_TEST_RUNTIMES=true installs ${name} from npm`
  }, async t => {
    await writeFile(join(folder, 'package.json'), '{}')
    await exec('npm', ['install', '--no-save', '--no-audit', '--no-fund', name], { cwd: folder, timeout: TIMEOUT_MS })
    const command = join(folder, 'node_modules', '.bin', name)
    await testRuntime(t, { command, args: [...args], channels: [...CHANNELS] })
  })
}

async function testRuntime (
  t: { same: (a: unknown, b: unknown, message: string) => void },
  { command, args, channels }: { command: string, args: string[], channels: string[] }
) {
  for (const channel of channels) {
    const input = { url, token: system.token(`${command} ${channel}`), channels: [channel] }
    const file = join(folder, `${channel}.mjs`)
    await writeFile(file, `globalThis.INPUT = ${JSON.stringify(input)}\n${code}`)
    // A process that does not end by itself is one that the client has left something in.
    const env = { PATH: process.env.PATH, HOME: folder }
    const { stdout } = await exec(command, [...args, file], { timeout: TIMEOUT_MS, env })
    t.same(JSON.parse(stdout), expected(channel), channel)
  }
}

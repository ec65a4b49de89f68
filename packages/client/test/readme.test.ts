import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startReceiver, temporaryFolder } from '@tidings/testing'
import { build } from '../scripts/build.ts'
import { createClient } from '../src/index.ts'
import { startCounting } from './system.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 60_000

const system = await startCounting(t)
const url = system.endpoints.edge as string
const receiver = await startReceiver(t)
const folder = temporaryFolder(t, 'readme')
await build(join(folder, 'dist'))
await run('npm', ['pack', '--pack-destination', folder], { cwd: join(folder, 'dist') })
const project = join(folder, 'project')
await mkdir(join(project, 'node_modules', '@tanstack'), { recursive: true })
await writeFile(join(project, 'package.json'), '{"type":"module"}')
const npm = ['install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', join(folder, 'tidings-0.1.0.tgz')]
await run('npm', npm, { cwd: project })
const installed = fileURLToPath(new URL('../node_modules/@tanstack/react-query', import.meta.url))
await mkdir(join(project, 'node_modules', '@tanstack'), { recursive: true })
await symlink(installed, join(project, 'node_modules', '@tanstack', 'react-query'))
await writeFile(join(project, 'given.js'), `
import { createClient } from 'tidings'
const { TIDINGS_URL: url, TOKEN: token } = process.env
const check = read => ({ '~standard': { version: 1, vendor: 'readme', validate: value => ({ value: read(value) }) } })
Object.assign(globalThis, {
  client: createClient({ url, token }),
  session: { accessToken: async () => token },
  render: job => console.log(job.state),
  handle: async () => process.exit(), // the loop that reads all events has no end
  reload: async () => {},
  store: { read: () => undefined, write: () => {}, isNew: async () => true },
  document: {},
  CountRowsInput: check(value => value),
  CountRowsResult: check(({ counted }) => ({ rows: counted }))
})
`)

const readme = await readFile(join(project, 'node_modules', 'tidings', 'README.md'), 'utf8')
const snippets = [...readme.matchAll(/^### (.*)\n|^```ts\n([\s\S]*?)^```/gm)]
let section = 'Getting started'
for (const [n, [, heading, code]] of snippets.entries()) {
  if (heading !== undefined) section = heading
  if (code === undefined) continue
  const title = section
  t.test(`snippet ${n}, of "${title}", runs`, async t => {
    const token = system.token(`readme ${n}`)
    const client = createClient({ url, token })
    const isRetry = code.includes('jobs.retry(\'')
    const { jobId } = await client.jobs.submit('count', isRetry ? { fail: 'no luck', once: true } : {})
    if (isRetry) await t.rejects(client.jobs.wait(jobId), { code: 'job_failed' })
    const file = join(project, `snippet-${n}.ts`)
    await writeFile(file, code
      .replaceAll(/'https?:\/\/(localhost:4000|example\.com(\/tidings)?)'/g, `'${url}'`)
      .replaceAll('https://example.com/hook', receiver.url)
      .replaceAll('the token that npm start printed', token)
      .replaceAll('0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17', jobId))
    const timer = setInterval(() => { client.jobs.submit('count', {}).catch(() => {}) }, 500)
    t.teardown(() => clearInterval(timer))
    const env = { PATH: process.env.PATH, TIDINGS_URL: url, TOKEN: token, WEBHOOK_SECRET: 'whsec_AAAA' }
    const args = ['--import', './given.js', file]
    await t.resolves(run(process.execPath, args, { cwd: project, env, timeout: TIMEOUT_MS }))
  })
}

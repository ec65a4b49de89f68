import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@tidings/testing'
import t from 'tap'
import type { Test } from 'tap'
import { ensureChromium } from '../../src/setup/chromium.ts'
import { ensureRedis } from '../../src/setup/redis.ts'

/** A PATH with only these commands; each records its arguments. */
function machine (t: Test, commands: Record<string, string>) {
  const folder = temporaryFolder(t, 'machine')
  const bin = join(folder, 'bin')
  const log = join(folder, 'log')
  mkdirSync(bin)
  writeFileSync(log, '')
  const command = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> "${log}"\n${script}\n`, { mode: 0o755 })
  }
  for (const [name, script] of Object.entries(commands)) command(name, script.replaceAll('$BIN', bin))
  // An ordinary user needs sudo, which runs its arguments.
  if (!('sudo' in commands)) command('sudo', 'shift; [ "$1" = true ] && exit 0; exec "$@"')
  const path = process.env.PATH
  process.env.PATH = bin
  t.teardown(() => { process.env.PATH = path })
  return {
    bin,
    calls: () => readFileSync(log, 'utf8').split('\n').filter(call => call !== '' && !call.startsWith('sudo'))
  }
}

const REDIS = 'echo "Redis server v=7.0.15 sha=0"'
const installs = (name: string, script: string) =>
  `printf '#!/bin/sh\\n%s\\n' '${script}' > $BIN/${name}; /bin/chmod 755 $BIN/${name}`

t.test('an installed Redis is used', async t => {
  const { calls } = machine(t, { 'redis-server': REDIS, 'apt-get': 'exit 1' })
  await ensureRedis(() => {})
  t.same(calls(), ['redis-server --version'])
})

t.test('a missing Redis is installed', async t => {
  const { calls } = machine(t, { 'apt-get': installs('redis-server', REDIS) })
  const lines: string[] = []
  await ensureRedis(line => lines.push(line))
  t.same(calls(), ['apt-get install -y --no-install-recommends redis-server'])
  t.same(lines, ['Installing redis-server with apt-get …'])
})

t.test('package lists are fetched first where there are none', async t => {
  const { calls } = machine(t, {
    'apt-get': `case "$1" in update) echo > $BIN/lists;; install) [ -e $BIN/lists ] || exit 100; ${installs('redis-server', REDIS)};; esac`
  })
  await ensureRedis(() => {})
  t.same(calls().map(call => call.split(' ')[1]), ['install', 'update', 'install'])
})

t.test('where it cannot be installed, the error names the command to run', async t => {
  machine(t, { sudo: 'exit 1' })
  await t.rejects(ensureRedis(() => {}), {
    message: /Neither redis-server nor valkey-server is on PATH\..*install it with `/
  })
})

t.test('a Redis that is too old is refused', async t => {
  machine(t, { 'redis-server': 'echo "Redis server v=6.0.16 sha=0"', 'apt-get': 'exit 1' })
  await t.rejects(ensureRedis(() => {}), { message: /is too old \(Redis server v=6\.0\.16/ })
})

t.test('a browser is found, installed, or missing', async t => {
  await t.test('found', async t => {
    const { bin } = machine(t, { 'google-chrome': '' })
    t.equal(await ensureChromium(() => {}), join(bin, 'google-chrome'))
  })
  await t.test('installed', async t => {
    const { bin } = machine(t, { 'apt-get': installs('chromium', '') })
    t.equal(await ensureChromium(() => {}), join(bin, 'chromium'))
  })
  await t.test('missing', async t => {
    machine(t, {})
    t.equal(await ensureChromium(() => {}), undefined)
  })
})

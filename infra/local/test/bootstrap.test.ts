import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { spawnService, temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import type { Test } from 'tap'
import { root } from '../src/index.ts'

const LOCKFILE =
  'lockfileVersion: \'9.0\'\n\nimporters:\n\n  .:\n    dependencies: {}\n\n' +
  '  packages/one:\n    dependencies: {}\n\npackages:\n'

/** A checkout whose only command prints its environment, and an npx that behaves like pnpm. */
function checkout (t: Test, { otherNode = false } = {}) {
  const folder = temporaryFolder(t, 'checkout')
  mkdirSync(join(folder, 'infra', 'local', 'src'), { recursive: true })
  cpSync(join(root, 'infra/local/setup'), join(folder, 'infra/local/setup'), { recursive: true })
  copyFileSync(join(root, 'infra/local/bootstrap.mjs'), join(folder, 'infra/local/bootstrap.mjs'))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  writeFileSync(join(folder, 'pnpm-lock.yaml'), LOCKFILE)
  writeFileSync(
    join(folder, 'infra/local/src/show.ts'),
    'console.log(JSON.stringify({ node: process.execPath, args: process.argv.slice(2), path: process.env.PATH }))\n'
  )
  writeFileSync(join(folder, 'infra/local/src/fail.ts'), 'process.exitCode = 3\n')
  writeFileSync(
    join(folder, 'infra/local/src/wait.ts'),
    'process.on("SIGTERM", () => process.exit(4)); setInterval(() => {}, 1000); console.log("waiting")\n'
  )

  const installed = join(folder, 'installed')
  mkdirSync(join(installed, 'node/bin'), { recursive: true })
  mkdirSync(join(installed, '.pnpm'))
  // A script that runs the same Node counts as another Node when files are compared.
  if (otherNode) {
    writeFileSync(join(installed, 'node/bin/node'), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, {
      mode: 0o755
    })
  } else symlinkSync(process.execPath, join(installed, 'node/bin/node'))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'npx'), `#!/bin/sh
echo "npx $*; CI=$CI; stdin=$(cat)"
[ -e "${folder}/fail" ] && exit 9
mkdir -p "${folder}/packages/one/node_modules"
cp -R "${installed}" "${folder}/node_modules"
cp "${folder}/pnpm-lock.yaml" "${folder}/node_modules/.pnpm/lock.yaml"
`, { mode: 0o755 })
  // Without the loaders of tap, and with this npx first on PATH.
  const env = { HOME: process.env.HOME ?? '', PATH: [bin, process.env.PATH].join(delimiter) }
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'infra/local/bootstrap.mjs'), ...args],
      { encoding: 'utf8', env, input: 'typed' }
    )
    return { status, stdout, stderr, hasInstalled: stdout.includes('npx -y pnpm@') }
  }
  return { folder, run, env, bootstrap: join(folder, 'infra/local/bootstrap.mjs') }
}

t.test('dependencies are checked against the pinned Node, not against the one that installs', async t => {
  const workspace = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const [, pinned = 'none'] = /^ {2}node: (\S+)$/m.exec(workspace) ?? []
  t.match(workspace, `\nnodeVersion: ${pinned}\n`)
})

t.test('a fresh checkout is installed with the pinned pnpm, without questions, and its command runs', async t => {
  const { folder, run } = checkout(t)
  const { status, stdout, stderr } = run('show', '--once', '--gateways', '2')
  t.equal(status, 0, stderr)
  t.match(stdout, /npx -y pnpm@12\.21\.0 install --frozen-lockfile; CI=true; stdin=\n/)
  const shown = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as { args: string[], path: string }
  t.same(shown.args, ['--once', '--gateways', '2'])
  t.ok(shown.path.startsWith(join(folder, 'node_modules', '.bin')))
})

t.test('an installed checkout is not installed again', async t => {
  const { run } = checkout(t)
  t.ok(run('show').hasInstalled)
  t.notOk(run('show').hasInstalled)
})

t.test('missing or changed dependencies are installed again', async t => {
  const { folder, run } = checkout(t)
  const damages = {
    'another lockfile': () => writeFileSync(join(folder, 'pnpm-lock.yaml'), `${LOCKFILE}# changed\n`),
    'a member without its modules': () => rmSync(join(folder, 'packages/one/node_modules'), { recursive: true }),
    'no Node': () => rmSync(join(folder, 'node_modules/node/bin/node')),
    'an install that was cut short': () => rmSync(join(folder, 'node_modules/.pnpm/lock.yaml'))
  }
  run('show')
  for (const [name, damage] of Object.entries(damages)) {
    damage()
    t.ok(run('show').hasInstalled, name)
    rmSync(join(folder, 'node_modules'), { recursive: true })
    run('show')
  }
})

t.test('the exit code of the command is passed on', async t => {
  t.equal(checkout(t).run('fail').status, 3)
  t.equal(checkout(t, { otherNode: true }).run('fail').status, 3)
})

t.test('under another Node the command runs in a child with the pinned one, which gets the signals', async t => {
  const { run, env, bootstrap } = checkout(t, { otherNode: true })
  t.match(run('show', 'a').stdout, '"args":["a"]')
  const service = await spawnService(t, { entry: bootstrap, args: ['wait'], env })
  await until(() => service.output().includes('waiting'), { what: 'the command to run' })
  t.same(await service.kill('SIGTERM'), { code: 4, signal: null })
})

t.test('a failed install is reported, and the command does not run', async t => {
  const { folder, run } = checkout(t)
  writeFileSync(join(folder, 'fail'), '')
  const { status, stderr } = run('show')
  t.equal(status, 1)
  t.match(stderr, 'Installing the dependencies failed (exit code 9)')
})

t.test('an unknown command is reported by name', async t => {
  const { run } = checkout(t)
  t.match(run('../../x'), { status: 1, stderr: 'There is no command ../../x' })
  t.match(run('dance'), { status: 1, stderr: 'There is no command dance' })
})

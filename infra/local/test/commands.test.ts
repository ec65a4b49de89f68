import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../src/index.ts'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
/** The commands of bootstrap.mjs, apart from `tidings`, which packages/cli tests. */
const COMMANDS = [...new Set(Object.values(scripts).flatMap(script => /bootstrap\.mjs ([a-z-]+)/.exec(script)?.[1] ?? []))]
  .filter(command => command !== 'tidings')

function run (script: string, ...args: string[]) {
  return new Promise<{ code: unknown, stdout: string, stderr: string }>(resolve => {
    execFile(process.execPath, [join(root, script), ...args], { env: { PATH: process.env.PATH } }, (
      err, stdout, stderr
    ) => resolve({ code: err?.code ?? 0, stdout, stderr }))
  })
}

t.test('every npm script that starts something refuses an unknown option, and prints its usage', async t => {
  t.ok(COMMANDS.length > 5)
  const files = [
    ...COMMANDS.map(command => `infra/local/src/${command}.ts`),
    'services/jobs-api/src/counts-check.ts',
    'services/realtime-gateway/src/admin/revoke-cli.ts'
  ]
  for (const file of files) {
    const { code, stdout, stderr } = await run(file, '--nonsense')
    t.equal(code, 2, file)
    t.equal(stdout, '', `${file} has started nothing`)
    t.match(stderr, /^Unknown option '--nonsense'\n\n[A-Z].*\.\n\n {2}npm /, file)
    t.notMatch(stderr, /^ {4}at /m, file)
  }
})

t.test('--help is no fault', async t => {
  const { code, stdout, stderr } = await run('infra/local/src/token.ts', '--help')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /npm run token .*\n\n {2}--user ID .*\n {2}--scope TEXT /)
})

t.test('a value out of its range, and an unknown name, are reported without a stack', async t => {
  for (const [file, args, fault] of [
    ['infra/local/src/chaos.ts', ['--minutes', 'many'], /^--minutes is a number above 0, --seed an integer\n$/],
    ['infra/local/src/chaos.ts', ['--faults', 'nope'], /^There is no fault nope, only none, .*\n$/],
    ['infra/local/src/bench.ts', ['nope'], /^There is no scenario nope, only .*\n$/],
    ['infra/local/src/proofs.ts', ['--promise', 'nope'], /^No mutation is named so. Promises: .*\n$/],
    ['infra/local/src/test.ts', ['nope.test.ts'], /^There are no test files nope\.test\.ts\n$/]
  ] as const) {
    t.match(await run(file, ...args), { code: 2, stdout: '', stderr: fault }, `${file} ${args.join(' ')}`)
  }
})

t.test('a check of the counters says what its environment lacks', async t => {
  const { code, stderr } = await run('services/jobs-api/src/counts-check.ts')
  t.match({ code, stderr }, {
    code: 2, stderr: /^Configuration is not valid:\n {2}- DATABASE_URL is missing\n {2}- TOKEN_SECRET .*\n$/
  })
})

t.test('each command has a file', async t => {
  t.ok(COMMANDS.every(command => readdirSync(join(root, 'infra/local/src')).includes(`${command}.ts`)))
})

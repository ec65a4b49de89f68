import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { completionScript } from '../src/commands/completion.ts'
import { root } from '../src/root.ts'
import { buildCli, cliOf } from './run-cli.ts'

const run = promisify(execFile)
const main = await buildCli(t)

/** What bash offers for the last word. */
async function complete (words: string[]): Promise<string[]> {
  const line = words.map(word => `'${word}'`).join(' ')
  const script = `${completionScript('bash', root)}
COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _tidings; printf '%s\\n' "\${COMPREPLY[@]}"`
  return (await run('bash', ['-c', script])).stdout.split('\n').filter(word => word !== '')
}

t.test('bash completes commands and options', async t => {
  t.ok((await complete(['tidings', ''])).includes('webhooks'))
  t.same(await complete(['tidings', 'webhooks', 'rot']), ['rotate-secret'])
  t.same(await complete(['tidings', 'webhooks', 'listen', '--forw']), ['--forward-to'])
  t.same(await complete(['tidings', 'jobs', 'ls', '--status', 'failed', '--sin']), ['--since'])
  t.same(await complete(['tidings', 'jobs', 'get', '42', '--que']), ['--queue'])
  t.same(await complete(['tidings', 'op']), ['open'])
  t.same(await complete(['tidings', 'open', 'jobs', '--pr']), ['--profile', '--print'].sort())
  t.same(await complete(['tidings', 'token', '--exp']), ['--expires-in'])
  for (const words of [['jobs'], ['jobs', 'ls']]) t.same(await complete(['tidings', ...words, '--fol']), ['--follow'])
})

t.test('there are scripts for the other shells, and an error for unknown ones', async t => {
  const cli = cliOf(t, main)
  const [zsh, fish, csh] = await Promise.all(['zsh', 'fish', 'csh'].map(shell => cli.run(['completion', shell])))
  t.match(zsh, { code: 0, stdout: /^#compdef tidings\n/ })
  t.match(zsh?.stdout, /'jobs ls'\) choices=\(.*'--follow:/)
  t.match(fish, { code: 0, stdout: /complete -c tidings .*-a rotate-secret/ })
  for (const line of [/-a open /, /seen_subcommand_from jobs.* -l follow /, /from token' -l expires-in /]) t.match(fish?.stdout, line)
  t.match(csh, { code: 2, stderr: /bash, zsh, fish, not csh/ })
})

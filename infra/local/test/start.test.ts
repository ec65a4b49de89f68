import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const entry = fileURLToPath(new URL('../src/start.ts', import.meta.url))

/** Runs npm start up to the check of its options, which comes before anything is started. */
function start (...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: 'utf8',
    timeout: 60_000
  })
  return { status, output: stdout + stderr }
}

t.test('an invalid number of gateways on the command line is refused', async t => {
  for (const number of ['0', '30', 'three', '1.5']) {
    t.match(start('--gateways', number), { status: 1, output: 'The number of gateways must be from 1 to 29' }, number)
  }
})

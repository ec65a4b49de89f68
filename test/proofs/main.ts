// npm run proofs [-- --promise NAME] [--without TEXT] [--trust] [--list]
import { ensureRedis, readCommandLine, reportEnd, root, UsageError, withTestEnvironment } from '@tidings/local'
import { mutations } from './mutations/index.ts'
import { isMissed, prove, type Proof, type Proved } from './prove.ts'
import { createWorkCopy } from './work-copy.ts'

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())

const { values: { promise, without = '', trust, list } } = readCommandLine({
  usage: `
Shows that the tests of each promise fail once one of its mechanisms is switched off, in a copy of the checkout.

  npm run proofs [-- --promise NAME] [--without TEXT] [--trust] [--list]

  --promise NAME  ${Object.keys(mutations).join(', ')}: all by default
  --without TEXT  only mutations whose description contains this
  --trust         right after a green npm test: no test runs without a mutation first
  --list          prints the mutations
`,
  options: {
    promise: { type: 'string' },
    without: { type: 'string' },
    trust: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false }
  }
})
const proofs = Object.entries(mutations)
  .filter(([name]) => promise === undefined || promise === name)
  .flatMap(([name, all]) => all.map((mutation): Proof => ({ promise: name, mutation })))
  .filter(({ mutation }) => mutation.without.includes(without))

try {
  await main()
} catch (err) {
  reportEnd(err)
}

async function main (): Promise<void> {
  if (proofs.length === 0) {
    throw new UsageError(`No mutation is named so. Promises: ${Object.keys(mutations).join(', ')}`)
  }
  if (list) {
    for (const { promise, mutation } of proofs) console.log(`${promise}: without ${mutation.without}`)
    return
  }
  await ensureRedis(line => { console.error(line) })
  process.exitCode = await withTestEnvironment(async env => {
    Object.assign(process.env, env)
    return await run()
  })
}

async function run (): Promise<0 | 1> {
  const copy = createWorkCopy(root)
  const proved: Proved[] = []
  try {
    for await (const one of prove(copy, proofs, { isTrusted: trust, signal: stopped.signal })) {
      proved.push(one)
      console.log(lineOf(one))
    }
  } finally {
    copy.remove()
  }
  const missed = proved.filter(isMissed)
  console.log(`\n${summary(proved)}\n`)
  console.log(`${proved.length - missed.length} caught, ${missed.length} missed`)
  return missed.length > 0 || stopped.signal.aborted ? 1 : 0
}

function lineOf ({ promise, mutation, test, verdict, seconds }: Proved): string {
  const by = 'by' in verdict ? `: ${verdict.by}` : ''
  return `${verdict.is.padEnd(8)} ${promise}, without ${mutation.without} (${seconds.toFixed(0)} s)\n` +
    `         ${test.file}${by}`
}

function summary (proved: Proved[]): string {
  const rows = [...Map.groupBy(proved, ({ promise }) => promise)].map(([promise, ofPromise]) => {
    const mutationsOf = new Set(ofPromise.map(({ mutation }) => mutation)).size
    const caught = ofPromise.filter(one => !isMissed(one)).length
    return `| ${promise} | ${mutationsOf} | ${caught} of ${ofPromise.length} |`
  })
  return ['| promise | mutations | caught by test files |', '|---|---|---|', ...rows].join('\n')
}

// npm run proofs [-- --promise NAME] [--without TEXT] [--trust] [--list]
import { parseArgs } from 'node:util'
import { root } from '@tidings/local'
import { mutations } from './mutations/index.ts'
import { isMissed, prove, type Proof, type Proved } from './prove.ts'
import { createWorkCopy } from './work-copy.ts'

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())

const { values: { promise, without = '', trust, list } } = parseArgs({
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
if (proofs.length === 0) throw new Error(`No mutation is named so. Promises: ${Object.keys(mutations).join(', ')}`)

if (list) for (const { promise, mutation } of proofs) console.log(`${promise}: without ${mutation.without}`)
else process.exitCode = await run()

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

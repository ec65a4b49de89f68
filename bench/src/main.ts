// npm run bench [-- name …] [--json FILE] [--svg FILE] [--docs] [--profile FOLDER]
import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readCommandLine, reportEnd, UsageError } from '@tidings/local'
import { chart } from './figures/chart.ts'
import { asText, cells } from './figures/table.ts'
import { machine } from './machine.ts'
import { createProgress } from './progress.ts'
import { runBench } from './run.ts'
import { scenarios } from './scenarios/index.ts'
import { updatePage } from './docs-page.ts'

const { values, positionals } = readCommandLine({
  usage: `
Measures the system beside a hand-written monolith and the limits of this machine, and prints one table.

  npm run bench [-- SCENARIO …] [--json FILE] [--svg FILE] [--docs] [--profile FOLDER]

  SCENARIO          ${scenarios.map(({ name }) => name).join(', ')}: all by default
  --json FILE       writes the figures
  --svg FILE        writes a chart
  --docs            writes the table of docs/performance.md
  --profile FOLDER  writes CPU profiles of the processes
`,
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    svg: { type: 'string' },
    docs: { type: 'boolean' },
    profile: { type: 'string' }
  }
})

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())

try {
  await main()
} catch (err) {
  reportEnd(err)
}
process.exit()

async function main () {
  const unknown = positionals.filter(name => !scenarios.some(scenario => scenario.name === name))
  if (unknown.length > 0) {
    throw new UsageError(
      `There is no scenario ${unknown.join(', ')}, only ${scenarios.map(({ name }) => name).join(', ')}`
    )
  }
  if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true })

  const progress = createProgress(process.stderr)
  const { rows, broken, seconds } = await runBench(positionals, {
    progress,
    signal: stopping.signal,
    profiles: values.profile && resolve(values.profile),
    onRows: some => progress.line(asText(cells(some)))
  })

  console.log(`\n${asText(cells(rows))}\n\n${seconds} s on ${machine().text}`)
  const figures = { measuredAt: new Date().toISOString(), seconds, machine: machine(), rows, broken }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
  if (values.svg !== undefined) writeFileSync(values.svg, chart(rows))
  if (values.docs === true) updatePage(figures)
  for (const promise of broken) console.error(`BROKEN  ${promise}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}

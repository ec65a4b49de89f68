import t from 'tap'
import { noFindings } from './check/findings.ts'
import { faultNamed } from './faults/index.ts'
import { runRound } from './round.ts'
import { startChaos } from './start.ts'

/** Each round has faults that happen together. `npm run chaos` has all faults, at random. */
const ROUNDS = [
  ['kill-relay', 'kill-gateway'],
  ['kill-dispatcher', 'kill-edge'],
  ['freeze-relay', 'redis-client-kill'],
  ['redis-kill', 'postgres-kill', 'network-cut-clients']
]
const SEED = 16
/** Endpoints that are slow because the machine is are not taken for failing ones, which miss progress. */
const env = { WEBHOOK_TIMEOUT_MS: '60000' }
t.setTimeout(1_200_000)

const context = await startChaos(t, { users: 2, workers: 1, pauseMs: [300, 1200], env })

for (const [n, names] of ROUNDS.entries()) {
  t.test(`no event is lost, doubled, reordered or wrong on any channel: ${names.join(' and ')}`, async t => {
    const { lost, doubled, reordered, wrong, ...result } = await runRound(context, names.map(faultNamed), SEED + n)
    t.same({ lost, doubled, reordered, wrong }, noFindings())
    t.ok(result.events > 0)
    t.comment(`${result.jobs} jobs, ${result.events} events; recovered in ${Math.round(result.recovery?.ms ?? NaN)} ms`)
  })
}

import { createSql } from '@tidings/service-kit'
import { loadConfig } from './config.ts'
import { stateOf } from './db/state-code.ts'
import { compareCounts } from './maintenance/compare-counts.ts'

// Compares the counters of jobs by user and state with a full count; the exit code is 1 if they differ.
// It reads every row: neither the statement nor its silence has a timeout.
const sql = createSql(loadConfig(process.env).DATABASE_URL, { max: 1, connection: { statement_timeout: 0 } })
const differences = await compareCounts(sql)
await sql.end()
for (const { user_id: userId, state, counted, counter } of differences) {
  console.log(`user ${userId}: ${counted} jobs are ${stateOf(state)}, the counter is ${counter}`)
}
console.log(differences.length === 0 ? 'All counters equal a full count.' : `${differences.length} counters differ.`)
process.exitCode = differences.length === 0 ? 0 : 1

import { ConfigError, createSql } from '@tidings/service-kit'
import { readCommandLine, reportEnd, UsageError } from '@tidings/service-kit/command-line'
import { loadConfig } from './config.ts'
import { stateOf } from './db/state-code.ts'
import { compareCounts } from './maintenance/compare-counts.ts'

readCommandLine({
  usage: `
Compares the counters of jobs by user and state with a full count, in the environment of the service.

  npm run counts-check

Ends with 0 if they are equal, with 1 if they differ or Postgres cannot be read. It reads every row.
`
})

try {
  process.exitCode = await check(databaseUrl())
} catch (err) {
  reportEnd(err)
}

function databaseUrl (): string {
  try {
    return loadConfig(process.env).DATABASE_URL
  } catch (err) {
    throw err instanceof ConfigError ? new UsageError(err.message) : err
  }
}

async function check (url: string): Promise<0 | 1> {
  // It reads every row: neither the statement nor its silence has a timeout.
  const sql = createSql(url, { max: 1, connection: { statement_timeout: 0 } })
  try {
    const differences = await compareCounts(sql)
    for (const { user_id: userId, state, counted, counter } of differences) {
      console.log(`user ${userId}: ${counted} jobs are ${stateOf(state)}, the counter is ${counter}`)
    }
    console.log(
      differences.length === 0 ? 'All counters equal a full count.' : `${differences.length} counters differ.`
    )
    return differences.length === 0 ? 0 : 1
  } catch (err) {
    console.error(`Postgres cannot be read: ${(err as Error).message}`)
    return 1
  } finally {
    await sql.end()
  }
}

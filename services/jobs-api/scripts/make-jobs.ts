import { createSql } from '@tidings/service-kit'
import { readCommandLine, reportEnd, UsageError } from '@tidings/service-kit/command-line'
import { makeManyRows } from '../test/generate-rows.ts'

const { values } = readCommandLine({
  usage: `
Adds jobs of a user by SQL, to see how lists behave when they are long.

  DATABASE_URL=postgres://… node scripts/make-jobs.ts [--user ID] [--count N]

  --user ID  whose jobs: 1 by default
  --count N  how many: 1,000,000 by default

DATABASE_URL names the database of a jobs-api that has started once.
`,
  options: { user: { type: 'string', default: '1' }, count: { type: 'string', default: '1000000' } }
})

try {
  const { DATABASE_URL: url } = process.env
  const count = Number(values.count)
  if (!url) throw new UsageError('DATABASE_URL is missing: the database of a jobs-api that has started once')
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError('--count is an integer above 0')
  const sql = createSql(url, { max: 1, connection: { statement_timeout: 0 } })
  await makeManyRows(sql, { userId: values.user, count, createdMs: Date.now() - count })
  await sql.end()
} catch (err) {
  reportEnd(err)
}

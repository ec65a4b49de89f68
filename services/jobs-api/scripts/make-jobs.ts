import { parseArgs } from 'node:util'
import { createSql } from '@tidings/service-kit'
import { makeManyRows } from '../test/generate-rows.ts'

// node scripts/make-jobs.ts --user 1 --count 1000000: jobs of a user, by SQL, to see how lists behave when they are
// long.
const { values } = parseArgs({
  options: { user: { type: 'string', default: '1' }, count: { type: 'string', default: '1000000' } }
})
const url = process.env.DATABASE_URL
if (!url) throw new Error('DATABASE_URL must name the database of a jobs-api that has started once')

const sql = createSql(url, { max: 1, connection: { statement_timeout: 0 } })
const count = Number(values.count)
await makeManyRows(sql, { userId: values.user, count, createdMs: Date.now() - count })
await sql.end()

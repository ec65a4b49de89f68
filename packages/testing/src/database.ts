import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { Sql } from 'postgres'
import { startPostgres } from './postgres.ts'
import type { TestContext } from './test-context.ts'

export interface TestDatabase { url: string, sql: Sql }

let ownCluster: Promise<{ url: string }> | undefined

/** An empty database of the test's own in the run's cluster, dropped with the test. */
export async function createDatabase (t: TestContext): Promise<TestDatabase> {
  const admin = connect(await clusterUrl(), 1)
  const name = `test_${randomBytes(8).toString('hex')}`
  await admin`create database ${admin(name)}`

  const url = new URL(await clusterUrl())
  url.pathname = name
  const sql = connect(url.href, 4)
  t.teardown(async () => {
    await sql.end({ timeout: 5 })
    await admin`drop database ${admin(name)} with (force)`
    await admin.end({ timeout: 5 })
  })
  return { url: url.href, sql }
}

/** `npm test` starts one cluster for all files; a file that runs alone gets one for its process. */
async function clusterUrl (): Promise<string> {
  const given = process.env.TIDINGS_TEST_POSTGRES_URL
  if (given !== undefined) return given
  ownCluster ??= startOwnCluster()
  return (await ownCluster).url
}

/**
 * Does not keep the process alive: the file ends as it would with the run's cluster. Tap is loaded only here: in a
 * program that is no test (`npm run chaos`) its time limit of a file would end the process.
 */
async function startOwnCluster (): Promise<{ url: string }> {
  const { default: tap } = await import('tap')
  const cluster = await startPostgres({ teardown: stop => tap.after(stop) })
  cluster.process.unref()
  return cluster
}

function connect (url: string, max: number): Sql {
  return postgres(url, { max, connect_timeout: 60, onnotice: () => {} })
}

import { appendFile, chown, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasWalReceiver } from '@tidings/dev-servers'
import postgres, { type Sql } from 'postgres'
import { serve, type TestPostgres, type TestPostgresOptions } from './postgres.ts'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'
import { until } from './until.ts'

/** What belongs to the running server alone; the folders are copied without their content. */
const OWN_FILES = ['postmaster.pid', 'postmaster.opts']
const OWN_FOLDERS = [
  'pg_dynshmem', 'pg_notify', 'pg_replslot', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans', 'pg_wal'
]
const PROMOTION_S = 60

/** Why a test that needs a standby is skipped, false where it need not be. */
export const withoutStandby: string | false = hasWalReceiver() ? false : 'this Postgres has no WAL receiver'

export interface TestStandby extends TestPostgres {
  /** Ends the replication once it has all that the primary has at this moment: what is committed later is lost here. */
  cutOff: () => Promise<void>
  /** Makes it the primary, on a timeline of its own; resolves when it accepts writes. */
  promote: () => Promise<void>
}

/**
 * A streaming standby of a running server, on a port of its own, gone with the test. The base is a copy of the data
 * directory between pg_backup_start and pg_backup_stop: the embedded Postgres has no pg_basebackup.
 */
export async function startStandby (
  t: TestContext, primary: TestPostgres, { settings, folder }: TestPostgresOptions = {}
): Promise<TestStandby> {
  const dir = join(folder ?? temporaryFolder(t, 'standby'), `data-${Date.now()}`)
  const source = postgres(primary.url, { max: 1, onnotice: () => {}, connect_timeout: 60 })
  try {
    await copyBase(source, primary.dir, dir)
    const { hostname, port, username } = new URL(primary.url)
    const conninfo = `host=${hostname} port=${port} user=${username}`
    // Not an argument of the server, so that it can be changed while it runs.
    await appendFile(join(dir, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`)
    const server = await serve(t, dir, settings)
    await until(async () => await isStreaming(server), { what: 'the standby to stream' })
    // Not a copy: its process changes.
    return Object.assign(server, {
      cutOff: async () => await cutOff(primary, server),
      promote: async () => await promote(server)
    })
  } finally {
    await source.end({ timeout: 5 })
  }
}

/** Both calls on one connection: a backup ends with its session. */
async function copyBase (source: Sql, from: string, to: string): Promise<void> {
  await source`select pg_backup_start('standby', true)`
  await copyFolder(from, to)
  const [stopped] = await source<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`
  // The log from the start of the backup to its end makes the copy consistent.
  await copyFolder(join(from, 'pg_wal'), join(to, 'pg_wal'))
  await writeFile(join(to, 'backup_label'), (stopped as { labelfile: string }).labelfile)
  await writeFile(join(to, 'standby.signal'), '')
  const { uid, gid } = await stat(from)
  for (const name of ['backup_label', 'standby.signal']) await chown(join(to, name), uid, gid)
}

/** Files that vanish meanwhile, of tables that are dropped, are left out: the log repeats that. */
async function copyFolder (from: string, to: string): Promise<void> {
  const { uid, gid } = await stat(from)
  await mkdir(to, { recursive: true, mode: 0o700 })
  await chown(to, uid, gid)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (OWN_FILES.includes(entry.name)) continue
    if (!entry.isDirectory()) await copyIfThere(source, target, { uid, gid })
    else if (OWN_FOLDERS.includes(entry.name)) await mkdir(target, { mode: 0o700 }).then(() => chown(target, uid, gid))
    else await copyFolder(source, target)
  }
}

async function copyIfThere (from: string, to: string, { uid, gid }: { uid: number, gid: number }): Promise<void> {
  try {
    await copyFile(from, to)
    await chown(to, uid, gid)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
  }
}

async function cutOff (primary: TestPostgres, standby: TestPostgres): Promise<void> {
  const lsn = await using(primary, async sql => {
    const [row] = await sql<{ lsn: string }[]>`select pg_current_wal_lsn()::text as lsn`
    return row?.lsn ?? ''
  })
  await using(standby, async sql => {
    await until(async () => {
      const [row] = await sql<{ has: boolean }[]>`select pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn as has`
      return row?.has
    }, { what: 'the standby to have what the primary has' })
    await sql`alter system set primary_conninfo = ''`
    await sql`select pg_reload_conf()`
    await until(async () => !await isStreaming(standby), { what: 'the standby to stop streaming' })
  })
}

async function promote (standby: TestPostgres): Promise<void> {
  await using(standby, async sql => {
    const [row] = await sql<{ promoted: boolean }[]>`select pg_promote(true, ${PROMOTION_S}) as promoted`
    if (!row?.promoted) throw new Error(`The standby was not promoted within ${PROMOTION_S} s`)
  })
}

async function isStreaming (standby: TestPostgres): Promise<boolean> {
  return await using(standby, async sql =>
    (await sql`select from pg_stat_wal_receiver where status = 'streaming'`).length > 0)
}

async function using<T> ({ url }: TestPostgres, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 60 })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

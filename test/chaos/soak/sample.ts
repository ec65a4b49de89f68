import { readdirSync, readFileSync } from 'node:fs'
import type { ChaosSystem } from '../system/chaos-system.ts'

/** What a system takes at a moment, by the name of the measure. */
export type Sample = Record<string, number>

/** Memory and descriptors of each service, memory and keys and streams of Redis, and rows of Postgres. */
export async function takeSample (system: ChaosSystem): Promise<Sample> {
  const sample: Sample = {}
  for (const { name, pid } of [...system.replicas, system.edge]) {
    sample[`${name}: MB of memory`] = residentMb(pid)
    sample[`${name}: descriptors`] = readdirSync(`/proc/${pid}/fd`).length
  }
  return { ...sample, ...await ofRedis(system), ...await ofPostgres(system) }
}

function residentMb (pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1024
}

async function ofRedis ({ admin: { redis } }: ChaosSystem): Promise<Sample> {
  const [, bytes = '0'] = /^used_memory:(\d+)/m.exec(await redis.info('memory')) ?? []
  let entries = 0
  for (let cursor = '0'; ;) {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1000, 'TYPE', 'stream')
    for (const key of keys) entries += await redis.xlen(key)
    cursor = next
    if (cursor === '0') break
  }
  return {
    'Redis: MB of memory': Number(bytes) / 1024 / 1024,
    'Redis: keys': await redis.dbsize(),
    'Redis: entries of all streams': entries
  }
}

async function ofPostgres ({ admin: { sql } }: ChaosSystem): Promise<Sample> {
  const tables = await sql<{ schema: string, name: string }[]>`
    select schemaname as schema, tablename as name from pg_tables where schemaname in ('jobs', 'webhooks')`
  const sample: Sample = { 'Postgres: connections': 0 }
  for (const { schema, name } of tables) {
    const [row] = await sql<[{ n: number }]>`select count(*)::int as n from ${sql(`${schema}.${name}`)}`
    sample[`Postgres: rows of ${schema}.${name}`] = row.n
  }
  const [row] = await sql<[{ n: number }]>`
    select count(*)::int as n from pg_stat_activity where backend_type = 'client backend'`
  sample['Postgres: connections'] = row.n
  return sample
}

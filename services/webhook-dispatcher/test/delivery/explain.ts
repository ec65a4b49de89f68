import { createSql, type RawSql } from '@tidings/service-kit'
import type { Sql } from '../../src/db/sql.ts'

export type PlanNode = {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
  Plans?: PlanNode[]
}

type Answer = [{ 'QUERY PLAN': [{ Plan: PlanNode }] }]

/**
 * How Postgres runs a statement: as it did for these values (undone), and as it would for any. It may come to use
 * either.
 */
export type Explained = { nodes: PlanNode[], generic: PlanNode[], buffers: number }

/** Explains the last statement that `run` sends. */
export async function explain (url: string, run: (sql: Sql) => Promise<unknown>): Promise<Explained> {
  let sent = { statement: '', parameters: [] as never[] }
  const settings: string[] = []
  const sql = createSql(url, {
    max: 1,
    debug: (_connection, statement, parameters) => {
      if (statement.startsWith('set local')) settings.push(statement)
      else sent = { statement, parameters: parameters as never[] }
    }
  })
  try {
    const { statement, parameters } = await undone(sql, async tx => {
      await run(tx)
      return sent
    })
    const [[ran], [generic]] = await undone(sql, async tx => {
      for (const setting of new Set(settings)) await tx.unsafe(setting)
      return [
        await tx.unsafe<Answer>(`explain (analyze, buffers, format json) ${statement}`, parameters),
        await tx.unsafe<Answer>(`explain (generic_plan, format json) ${statement}`)
      ] as const
    })
    const actual = ran['QUERY PLAN'][0].Plan
    return {
      nodes: flatten(actual),
      generic: flatten(generic['QUERY PLAN'][0].Plan),
      buffers: (actual['Shared Hit Blocks'] ?? 0) + (actual['Shared Read Blocks'] ?? 0)
    }
  } finally {
    await sql.end()
  }
}

/** Whether a node of a plan reads or writes deliveries, of whatever part. */
export function isOnDeliveries (node: PlanNode): boolean {
  return /^deliveries(_\d+)?$/.test(node['Relation Name'] ?? '')
}

/** The rows that went through a node, those too that it left out. */
export function rowsOf (node: PlanNode): number {
  return ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 0)
}

async function undone<T> (sql: RawSql, run: (tx: Sql) => Promise<T>): Promise<T> {
  const connection = await sql.reserve()
  try {
    await connection`begin`
    return await run(connection)
  } finally {
    await connection`rollback`
    connection.release()
  }
}

function flatten (node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

import type { RawSql } from '@tidings/service-kit'
import type { Aftermath } from '../delivery/outcomes/outcome-effects.ts'
import { writeBatch, type HeldRow, type WrittenBatch } from './insert-batch.ts'

/** Writes a batch: one statement where all went well, six (begin and commit among them) where an attempt failed or news wait. */
export async function persistBatch (sql: RawSql, aftermath: Aftermath, batch: WrittenBatch): Promise<HeldRow[] | undefined> {
  const entries = batch.tasks.flatMap(({ task, result }) => result ? [{ task, result }] : [])
  const after = aftermath.of(entries)
  if (!after) return await writeBatch(sql, batch)
  const { held, health } = await sql.begin(async tx => {
    const held = await writeBatch(tx, batch)
    return { held, health: held ? await after(tx) : [] }
  })
  aftermath.heed(health)
  return held
}

import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { ChaosSystem } from '../system/chaos-system.ts'
import { given, type Fault, type Heal } from './fault.ts'

const HOLD_MS: [number, number] = [3000, 6000]
/** Far more segments of its log than Postgres keeps for reuse. */
const MOST_SEGMENTS = 100
const PATIENCE_MS = 60_000

export const diskFaults: Fault[] = [
  {
    name: 'postgres-full',
    what: 'a full disk of Postgres: tables cannot grow',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    isAlone: true,
    needs: 'disk',
    inject: ({ system }) => {
      given(system.disk).fill()
      return freeing(system)
    }
  },
  {
    name: 'postgres-full-log',
    what: 'a full disk of Postgres: its log cannot grow, and it ends',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 15_000 },
    isAlone: true,
    needs: 'disk',
    inject: async ({ system }) => {
      given(system.disk).fill()
      await fillLog(system.postgres.url)
      return freeing(system)
    }
  }
]

/** Begins one segment of the log after the other, until none can be made and Postgres panics. */
async function fillLog (url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 })
  try {
    for (let n = 0; n < MOST_SEGMENTS; n++) {
      await sql`select pg_logical_emit_message(true, 'chaos', 'x'), pg_switch_wal()`
    }
    throw new Error('Postgres writes its log, although the disk is full')
  } catch (err) {
    if ((err as { code?: string }).code === undefined) throw err // an error of Postgres, or of the connection
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Frees the disk, and starts Postgres if it has ended, as an operator would. */
function freeing ({ disk, postgres: server }: ChaosSystem): Heal {
  return async () => {
    given(disk).free()
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(100)) {
      if (!server.isRunning) await server.start()
      if (await accepts(server.url)) return
    }
    throw new Error('Postgres does not recover from a full disk')
  }
}

async function accepts (url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 })
  try {
    await sql`select 1`
    return true
  } catch {
    return false // it recovers, or is about to end
  } finally {
    await sql.end({ timeout: 1 })
  }
}

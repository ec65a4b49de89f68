import postgres, { type Sql } from 'postgres'
import type { ChaosSystem } from '../system/chaos-system.ts'
import type { Fault } from './fault.ts'

const HOLD_MS: [number, number] = [2000, 5000]
/** Writers wait for it, and readers too. */
const LOCKED = 'lock table jobs.jobs, jobs.positions, webhooks.webhooks, webhooks.deliveries in access exclusive mode'
/** A terminated backend, and a connection that a restart of Postgres ended. */
const ENDED = ['57P01', 'CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECTION_ENDED']

export const postgresFaults: Fault[] = [
  {
    name: 'postgres-restart',
    what: 'a restart of Postgres (fast shutdown)',
    holdMs: [0, 2000],
    takesAway: 'server',
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system }) => {
      await system.postgres.stop()
      return async () => await startAgain(system)
    }
  },
  {
    name: 'postgres-kill',
    what: 'SIGKILL of Postgres',
    holdMs: [500, 3000],
    takesAway: 'server',
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system }) => {
      await system.postgres.kill()
      return async () => await startAgain(system)
    }
  },
  {
    name: 'postgres-freeze',
    what: 'SIGSTOP and SIGCONT of Postgres',
    holdMs: HOLD_MS,
    takesAway: 'server',
    recovery: { since: 'end', withinMs: 10_000 },
    inject: ({ system }) => {
      system.postgres.pause()
      return system.postgres.resume
    }
  },
  {
    name: 'postgres-backends',
    what: 'pg_terminate_backend of all connections',
    holdMs: [0, 0],
    recovery: { since: 'end', withinMs: 5000 },
    inject: async ({ system }) => {
      await terminateBackends(system.admin.sql)
      return () => {}
    }
  },
  {
    name: 'postgres-connections',
    what: 'all connections of Postgres taken, after those of the services have ended',
    holdMs: HOLD_MS,
    takesAway: 'connections',
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system }) => {
      const taken = postgres(system.postgres.url, { max: 100, onnotice: () => {}, connect_timeout: 5 })
      await terminateBackends(system.admin.sql)
      // More than there are: those beyond are refused, as the services' are.
      await Promise.allSettled(Array.from({ length: 100 }, () => taken`select pg_sleep(0.2)`))
      return async () => await taken.end({ timeout: 1 })
    }
  },
  {
    name: 'postgres-lock',
    what: 'an exclusive lock on the busiest tables',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system }) => {
      const locking = postgres(system.postgres.url, { max: 1, onnotice: () => {} })
      const released = Promise.withResolvers<void>()
      const locked = Promise.withResolvers<void>()
      const transaction = locking.begin(async sql => {
        await sql.unsafe(LOCKED)
        locked.resolve()
        await released.promise
      }).catch(locked.reject)
      await locked.promise
      return async () => {
        released.resolve()
        await transaction
        await locking.end({ timeout: 5 })
      }
    }
  },
  {
    name: 'postgres-read-only',
    what: 'Postgres read-only, as after a failover to a standby',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 10_000 },
    inject: async ({ system: { admin: { sql } } }) => {
      await sql.unsafe('alter system set default_transaction_read_only = on')
      await sql`select pg_reload_conf()`
      await terminateBackends(sql)
      return async () => {
        await sql.unsafe('alter system reset default_transaction_read_only')
        await sql`select pg_reload_conf()`
        await terminateBackends(sql)
      }
    }
  },
  {
    name: 'postgres-failover',
    what: 'a fail-over of Postgres to a standby that lags, so that what was committed last is lost',
    holdMs: [1000, 5000],
    recovery: { since: 'end', withinMs: 15_000 },
    losesPostgresData: true,
    isAlone: true,
    needs: 'standby',
    inject: async ({ system }) => {
      const standby = await system.postgres.startLaggingStandby()
      return standby.takeOver
    }
  }
]

/** Another fault that stopped it may have ended before. */
async function startAgain ({ postgres }: ChaosSystem): Promise<void> {
  if (!postgres.isRunning) await postgres.start()
}

async function terminateBackends (sql: Sql): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend'`.catch((err: { code?: string }) => {
      if (!ENDED.includes(err.code ?? '')) throw err
    })
}

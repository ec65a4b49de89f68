import fp from 'fastify-plugin'
import { boundedMeasure } from '../../measured.ts'
import { prom } from '../../metrics.ts'
import { startPeriodicTasks } from '../../periodic.ts'
import { addDays, daysAhead } from './add-days.ts'
import { nameOf, partitionsOf, type DayTable } from './day-table.ts'

const EVERY_MS = 3_600_000
/** Eight days of each table, each of which may wait for its locks for some seconds. */
const TIMEOUT_MS = 600_000
/** Rows of a default partition that are counted at most. */
const MAX_COUNTED = 10_000

/**
 * Adds partitions ahead of time: at the start and every hour, on every replica. `/readyz` is degraded while there is
 * none for tomorrow: rows go to the default partition then, nothing is lost. Retention drops days by `dropDays`.
 */
export const dayPartitions = fp<{ tables: DayTable[] }>(async function dayPartitions (app, { tables }) {
  const { sql, log, loops } = app

  async function add (): Promise<void> {
    for (const table of tables) {
      for (const missing of await addDays(sql, table)) {
        log.error(missing, 'postgres: a day has no partition: too many of its rows are in the default one, or locked')
      }
    }
  }

  for (const table of tables) {
    app.addReadinessCheck(`partitions of ${nameOf(table)}`, 'optional', async () =>
      await daysAhead(sql, table) > 0 ? undefined : 'there is no partition for tomorrow')
  }
  const measure = boundedMeasure()
  const gauge = (name: string, help: string, query: (table: DayTable) => Promise<number>) => new prom.Gauge({
    name,
    help,
    labelNames: ['table'],
    registers: [app.metricsRegistry],
    async collect () {
      await Promise.all(tables.map(async table => {
        const label = nameOf(table)
        this.set({ table: label }, await measure(`${name} ${label}`, async () => await query(table)))
      }))
    }
  })
  gauge('tidings_partition_days_ahead', 'Days from tomorrow on that have a partition; NaN while Postgres is away',
    async table => await daysAhead(sql, table))
  gauge('tidings_partitions', 'Partitions; more than the days of the retention and ten: days are not dropped',
    async table => (await partitionsOf(sql, table)).ranges.length)
  gauge('tidings_default_partition_rows', `Rows outside of all days, counted up to ${MAX_COUNTED}`,
    async table => {
      const { rest } = await partitionsOf(sql, table)
      return rest === undefined ? 0 : (await sql.unsafe(`select from ${rest} limit ${MAX_COUNTED}`)).length
    })

  const tasks = [{ name: 'partitions', everyMs: EVERY_MS, startsAfterMs: EVERY_MS, timeoutMs: TIMEOUT_MS, run: add }]
  await add().catch(err => log.error({ err }, 'postgres: partitions could not be added, will be tried again'))
  let running: ReturnType<typeof startPeriodicTasks> | undefined
  app.addHook('onReady', async () => { running = startPeriodicTasks(tasks, { log, loops }) })
  app.addHook('onClose', async () => await running?.stop())
}, { name: 'day-partitions', dependencies: ['postgres', 'health', 'loops'] })

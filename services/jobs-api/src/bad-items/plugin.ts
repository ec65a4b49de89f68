import fp from 'fastify-plugin'
import { backgroundMetrics, type BackgroundMetrics } from '../metrics.ts'
import { createBadItems, type BadItems } from './bad-items.ts'

/** Decorates `app.backgroundMetrics` and `app.badItems`: where background work counts and reports. */
export const badItems = fp(async function badItems (app) {
  const metrics = backgroundMetrics(app.metricsRegistry)
  const items = createBadItems({ sql: app.sql, metrics, loops: app.loops, log: app.log })
  app.decorate('backgroundMetrics', metrics)
  app.decorate('badItems', items)
  app.addHook('onClose', async () => { await items.stop() })
}, { name: 'bad-items', dependencies: ['postgres', 'loops'] })

declare module 'fastify' {
  interface FastifyInstance {
    backgroundMetrics: BackgroundMetrics
    /** Where background work reports the items that it skips. */
    badItems: BadItems
  }
}

import Fastify from 'fastify'
import t from 'tap'
import { createLoops, type createSql } from '@tidings/service-kit'
import { until } from '@tidings/testing'
import { listen } from '../../src/projector/listen.ts'
import { createProjectionProgress } from '../../src/projector/projection-progress.ts'

const log = Fastify().log

t.test('a statement that never ends is given up, and its connection replaced', async t => {
  const [opened, ended] = [[] as number[], [] as number[]]
  /** The first connection answers nothing. */
  const open = (() => {
    const n = opened.push(1)
    const query = async () => n === 1 ? await new Promise<never>(() => {}) : [{ ms: 7, seq: 1 }]
    return Object.assign(query, { end: async () => { ended.push(n) } })
  }) as unknown as typeof createSql
  const projection = createProjectionProgress()
  const loops = createLoops({ log })
  const stop = listen({ url: 'postgres://', projection, loops, log, open, timeoutMs: 5 })
  await until(() => projection.position.ms === 7)
  t.same(ended, [1])
  t.equal(loops.fault(), undefined)
  await stop()
  t.same([opened.length, ended], [2, [1, 2]])
})

import t from 'tap'
import { createPausePoint } from '../../src/relay/pause-point.ts'

t.test('work that never ends is given up: its signal aborts, and then the loop goes on', async t => {
  const point = createPausePoint<number>({ workTimeoutMs: 5 })
  point.open()
  const [arrived, order] = [Promise.withResolvers<string>(), [] as string[]]
  const paused = point.pauseWhen(() => true, async (_at, signal) => {
    signal.addEventListener('abort', () => order.push('given up'))
    return await new Promise<never>(() => {})
  })
  const served = point.serveUntil(arrived.promise, 1).then(() => { order.push('goes on') })
  arrived.resolve('a page')
  await t.rejects(paused, { name: 'StepTimeout' })
  await served
  t.same(order, ['given up', 'goes on'])
})

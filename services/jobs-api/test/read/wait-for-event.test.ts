import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import Fastify from 'fastify'
import { createWatch } from '../../src/projector/projection-progress.ts'
import { reachEvent } from '../../src/read/wait-for-event.ts'

const { log } = Fastify()
const { signal } = new AbortController()

t.test('a Redis that takes long to say which event is the newest takes it of the five seconds', async t => {
  const patience: number[] = []
  const projected = { ...createWatch(), reached: async (_id: unknown, { timeoutMs }: { timeoutMs: number }) => patience.push(timeoutMs) > 1 }
  const lastId = async () => await sleep(500, undefined)
  await t.rejects(reachEvent('5-0', signal, { projected, lastId, log }), new Error('What is told here does not reach that event yet'))
  t.ok((patience[0] as number) <= 4550, `${patience[0]} ms are left`)
})

t.test('an event that the rows know already asks nobody', async t => {
  const projected = createWatch()
  projected.announce({ ms: 5, seq: 1 }, [])
  let asked = 0
  const lastId = async () => {
    asked++
    return undefined
  }
  await reachEvent('5-1', signal, { projected, lastId, log })
  t.equal(asked, 0)
})

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import Fastify from 'fastify'
import { createProjectionProgress } from '../../src/projector/projection-progress.ts'
import { waitForEvent } from '../../src/read/wait-for-event.ts'

const { log } = Fastify()
const { signal } = new AbortController()

t.test('the time that Redis takes to return the newest id is subtracted from the five seconds', async t => {
  const timeouts: number[] = []
  const waitFor = async (_id: unknown, { timeoutMs }: { timeoutMs: number }) => timeouts.push(timeoutMs) > 1
  const projection = { ...createProjectionProgress(), waitFor }
  const lastId = async () => await sleep(500, undefined)
  const waiting = waitForEvent('5-0', signal, { projection, lastId, log })
  await t.rejects(waiting, new Error('This event has not been processed yet; try again'))
  t.ok((timeouts[0] as number) <= 4550, `${timeouts[0]} ms are left`)
})

t.test('an event that was projected already needs no call to Redis', async t => {
  const projection = createProjectionProgress()
  projection.advance({ ms: 5, seq: 1 }, [])
  let calls = 0
  const lastId = async () => {
    calls++
    return undefined
  }
  await waitForEvent('5-1', signal, { projection, lastId, log })
  t.equal(calls, 0)
})

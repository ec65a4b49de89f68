import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { setup } from '../setup.ts'

t.test('operators see the queues of BullMQ and how far their consumers are', async t => {
  const { app } = await setup(t, { JOB_QUEUES: 'default,reports' })
  const submit = async (payload: object) => await app.inject({
    method: 'POST', url: '/submit-job', headers: { authorization: `Bearer ${tokenOf(1)}` }, payload
  })
  await submit({ name: 'one' })
  await submit({ name: 'two', priority: 5 })
  await submit({ name: 'later', delay: 3_600_000, queue: 'reports' })
  await app.findQueue('reports').pause()

  const headers = { authorization: `Bearer ${tokenOf('operator', { scope: 'operator:read' })}` }
  const response = await app.inject({ url: '/operators/queues', headers })
  t.equal(response.statusCode, 200)
  const idle = { isPaused: false, waiting: 0, active: 0, delayed: 0, waitingChildren: 0 }
  t.match(response.json(), {
    queues: [
      { ...idle, queue: 'default', waiting: 2, relayBacklog: Number },
      { ...idle, queue: 'reports', isPaused: true, delayed: 1, relayBacklog: Number }
    ],
    projectorLagMs: Number,
    stream: { events: Number, bytes: Number }
  })
  const own = await app.inject({ url: '/operators/queues', headers: { authorization: `Bearer ${tokenOf(1)}` } })
  t.equal(own.statusCode, 403)
})

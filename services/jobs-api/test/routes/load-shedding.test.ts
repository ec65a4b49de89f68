import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { setup } from '../setup.ts'

const headers = { authorization: `Bearer ${tokenOf(1)}` }

/** Blocks the event loop twice, each time for longer than the period in which its delay is measured. */
async function block () {
  for (let i = 0; i < 2; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200)
    await new Promise<void>(resolve => { setTimeout(resolve, 0) })
  }
}

t.test('while the event loop is late, requests are refused with Retry-After, and accepted afterwards', async t => {
  const { app } = await setup(t, { EVENT_LOOP_DELAY_MAX_MS: '500' })
  const list = async () => await app.inject({ url: '/jobs', headers })
  const refused = await until(async () => {
    await block()
    const answer = await list()
    return answer.statusCode !== 200 && answer
  }, { what: 'a refusal' })
  t.equal(refused.statusCode, 503)
  t.equal(refused.json().type, 'urn:tidings:problem:overloaded')
  t.ok(refused.headers['retry-after'])
  t.match((await app.inject('/metrics')).body, /^tidings_requests_shed_total [1-9]/m)
  t.equal((await app.inject('/livez')).statusCode, 200, 'a probe is answered')
  await until(async () => (await list()).statusCode === 200, { what: 'requests to be accepted' })
})

t.test('without a limit they are not', async t => {
  const { app } = await setup(t, { EVENT_LOOP_DELAY_MAX_MS: '0' })
  await block()
  t.equal((await app.inject({ url: '/jobs', headers })).statusCode, 200)
})

import { json as readJson } from 'node:stream/consumers'
import t from 'tap'
import type { Bulk, NewBulk } from '../src/index.ts'
import { json, startFakeServer } from './fake-server.ts'

const bulk = (fields: Partial<Bulk> = {}) => ({
  bulkId: 'b', action: 'retry', state: 'running', matched: 3, done: 0, failed: 0, skipped: 0, ...fields
})

t.test('a start is sent again with the same idempotency key, a count as a dry run', async t => {
  const fake = await startFakeServer(t)
  const keys: unknown[] = []
  const bodies: Promise<unknown>[] = []
  fake.onRequest = (request, response) => {
    keys.push(request.headers['idempotency-key'])
    const body = readJson(request)
    bodies.push(body)
    body.then(() => {
      if (keys.length === 1) response.destroy()
      else json(response, bulk({ state: 'waiting' }), 202)
    }, (err: unknown) => t.error(err))
  }
  const { bulk: actions } = fake.client()
  const selection: NewBulk = { action: 'retry', filter: { name: 'resize', status: ['failed'] } }
  t.match(await actions.start(selection), { bulkId: 'b', matched: 3 })
  t.equal(keys.length, 2)
  t.ok(keys[0])
  t.equal(keys[0], keys[1])
  t.same(await Promise.all(bodies), [selection, selection])
  t.equal(await actions.count(selection), 3)
  t.equal(keys[2], undefined)
  t.same(await bodies[2], { ...selection, dryRun: true })
})

t.test('a watch yields what has changed until the end, and wait resolves with the end', async t => {
  const fake = await startFakeServer(t)
  const states = () => [
    bulk({ state: 'waiting' }), bulk(), bulk(), bulk({ done: 2 }), bulk({ state: 'finished', done: 2, skipped: 1 })
  ]
  let left = states()
  fake.onRequest = (request, response) => {
    t.equal(request.url, '/bulk/b%2Fc')
    json(response, left.shift())
  }
  const { bulk: actions } = fake.client()
  const seen = []
  for await (const now of actions.watch('b/c', { interval: 1 })) seen.push(`${now.state} ${now.done}`)
  t.same(seen, ['waiting 0', 'running 0', 'running 2', 'finished 2'])
  t.same(left, [], 'nothing is asked for after the end')
  left = states()
  t.match(await actions.wait('b/c', { interval: 1 }), { state: 'finished', done: 2, skipped: 1 })
  left = [bulk({ state: 'stopped', done: 1 })]
  t.match(await actions.wait('b/c'), { state: 'stopped' }, 'a stop is an end')
})

t.test('a watch ends with its signal and with the client, also between two requests', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, bulk())
  const client = fake.client()
  const leaving = new AbortController()
  const watching = client.bulk.watch('b', { interval: 3_600_000, signal: leaving.signal })
  await watching.next()
  const next = watching.next()
  leaving.abort(new Error('left'))
  await t.rejects(next, { message: 'left' })
  const waiting = client.bulk.wait('b', { interval: 3_600_000 })
  setImmediate(() => client.close())
  await t.rejects(waiting, { code: 'closed' })
})

t.test('what is not there is an error, and lists and stops are passed on', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (request, response) => {
    if (request.method === 'DELETE') json(response, bulk({ state: 'stopped' }))
    else if (request.url === '/bulk') json(response, { bulks: [bulk()] })
    else json(response, { title: 'Not Found', status: 404 }, 404)
  }
  const { bulk: actions } = fake.client()
  await t.rejects(actions.wait('none'), { code: 'not_found' })
  t.match(await actions.list(), [{ bulkId: 'b' }])
  t.match(await actions.stop('b'), { state: 'stopped' })
})

import t from 'tap'
import { startReceiver } from '../src/index.ts'

const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })

t.test('records requests, raw and parsed', async t => {
  const receiver = await startReceiver(t)
  const response = await post(`${receiver.url}/hook?x=1`, '{"a": 1}')
  t.equal(response.status, 200)
  const [request] = await receiver.waitFor(1)
  t.match(request, {
    method: 'POST',
    url: '/hook?x=1',
    body: '{"a": 1}',
    json: { a: 1 },
    headers: { 'content-type': 'application/json' }
  })
})

t.test('answers as its handler decides, and reports what it waited for in vain', async t => {
  const receiver = await startReceiver(t, () => 503)
  t.equal((await post(receiver.url, 'no json')).status, 503)
  receiver.handle((_request, response) => { response.writeHead(201).end('made') })
  t.equal(await (await post(receiver.url, '{}')).text(), 'made')
  t.equal(receiver.requests[0]?.json, undefined)
  await t.rejects(receiver.waitFor(3, { timeoutMs: 50 }), {
    message: 'waited 50 ms in vain for 3 requests at the receiver; 2 came'
  })
})

t.test('refuses connections while stopped and listens on the same port again', async t => {
  const receiver = await startReceiver(t)
  await receiver.stop()
  await t.rejects(post(receiver.url, '{}'))
  await receiver.start()
  t.equal((await post(receiver.url, '{}')).status, 200)
})

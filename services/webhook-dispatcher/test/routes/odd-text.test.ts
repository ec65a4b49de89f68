import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { setup } from '../setup.ts'

t.test('text that Postgres cannot hold, or that is no Unicode, is refused with its path on every route', async t => {
  const { app, createWebhook } = await setup(t)
  const id = await createWebhook({ url: 'http://127.0.0.1:9/' })
  const send = async (method: 'POST' | 'PUT', url: string, payload: string, type = 'application/json') => {
    const answer = await app.inject({
      method, url, headers: { authorization: `Bearer ${tokenOf(1)}`, 'content-type': type }, payload
    })
    t.notMatch(answer.body, /SQLSTATE|22021|invalid byte/)
    return { status: answer.statusCode, paths: (answer.json().errors ?? []).map(({ path }: { path: string }) => path) }
  }
  for (const odd of ['\\u0000', '\\ud800', '\\n']) {
    const url = `"http://example.com/${odd}"`
    t.same(
      await send('POST', '/webhooks', `{"url":${url},"eventType":"all"}`), { status: 400, paths: ['body.url'] }, odd
    )
    t.same(await send('PUT', `/webhooks/${id}`, `{"url":${url}}`), { status: 400, paths: ['body.url'] }, odd)
    t.same(
      await send('PUT', '/webhooks/legacy', `{"webhookUrl":${url}}`), { status: 400, paths: ['body.webhookUrl'] }, odd
    )
    t.equal((
      await send('POST', '/webhooks', `{"url":"http://example.com/","eventType":"all","headers":{"x-a":"${odd}"}}`)
    ).status, 400, odd)
  }
  for (const odd of ['\\u0000', '\\ud800']) {
    t.same(
      await send('POST', '/webhooks', `{"url":"http://example.com/","eventType":"all","description":"${odd}"}`),
      { status: 400, paths: ['body.description'] },
      odd
    )
    t.equal((await send('POST', `/webhooks/${id}/replay`, `{"since":"${odd}"}`)).status, 400, odd)
  }
  t.equal((
    await send(
      'POST', '/webhooks', '{"url":"http://example.com/","eventType":"all"}', 'application/json; charset=iso-8859-1'
    )
  ).status, 415)
  t.equal((
    await app.inject({
      url: `/webhooks/${id}/deliveries?cursor=%00`, headers: { authorization: `Bearer ${tokenOf(1)}` }
    })
  ).statusCode, 400)
})

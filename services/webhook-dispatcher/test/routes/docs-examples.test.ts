import { readFile } from 'node:fs/promises'
import { tokenOf } from '@tidings/testing'
import t from 'tap'
import { setup, type Call } from './setup.ts'

const { call, sql } = await setup(t)
const page = await readFile(new URL('../../../../docs/deliveries.md', import.meta.url), 'utf8')
const requests = [...page.matchAll(/^curl (?:-X (POST) )?"\$URL(\S+)" -H "Authorization: Bearer \$TOKEN"/gm)]
  .map(([, method = 'GET', url = '']) => ({ method: method as NonNullable<Call['method']>, url }))
const USER = '7'
const operator = { authorization: `Bearer ${tokenOf('operator', { scope: 'operator:write' })}` }

const { body: webhook } = await call(
  '/webhooks', { method: 'POST', user: USER, body: { url: 'https://example.com/', eventType: 'all', active: false } }
)
// The delivery of the examples: number 42, which failed on the day that they name.
await sql`
  insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body)
  values (1, 0, ${USER}, 'completed', 'default:1', '{"id":"1","jobname":"resize","userId":7,"result":1,"eventType":"completed"}')`
await sql`
  insert into webhooks.deliveries (id, webhook_id, event_ms, event_seq, type, chain, state, created_at, finished_at)
  values (42, ${webhook.id}, 1, 0, 'completed', 'default:1', 'failed', '2026-11-27T12:00:00Z', now())`

t.test('the page shows requests', async t => t.equal(requests.length, 6))

for (const [who, options] of [['the user', { user: USER }], ['an operator', { headers: operator }]] as const) {
  t.test(`the failed completions of a day are found, sent again, and followed by ${who}`, async t => {
    const found: unknown[] = []
    for (const { method, url } of requests) {
      const named = who === 'the user' ? url : `${url}${url.includes('?') ? '&' : '?'}userId=${USER}`
      const { status, body } = await call(named, { method, ...options })
      t.equal(status, method === 'POST' ? 202 : 200, `${method} ${named}`)
      found.push(method === 'POST' ? body : body.deliveries)
    }
    const [list, again, ofBulk, redelivered, became, sinceThen] = found
    const failed = { id: 42, status: 'failed', eventType: 'completed', jobId: '1', name: 'resize' }
    t.match([list, again], [[failed], [failed]])
    t.same(ofBulk, [], 'there is no such bulk action here')
    t.match(redelivered, { origin: 'redeliver', originId: 42 })
    const { id } = redelivered as { id: number }
    t.match(became, [{ id, originId: 42, status: 'pending' }])
    t.match(sinceThen, [{ id, origin: 'redeliver' }])
    await sql`delete from webhooks.deliveries where id = ${id}`
  })
}

t.test('a stranger with the same requests sees nothing', async t => {
  for (const { method, url } of requests) {
    const { status, body } = await call(url, { method, user: 'stranger' })
    if (method === 'POST') t.equal(status, 404)
    else t.same(body.deliveries, [], url)
  }
})

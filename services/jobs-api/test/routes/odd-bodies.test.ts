import t from 'tap'
import { tokenOf } from '@tidings/testing'
import { jobRows } from '../job-rows.ts'
import { setup } from '../setup.ts'

t.test('values that would change between a client and its worker are refused with their path', async t => {
  const { app, database } = await setup(t)
  const post = async (url: string, payload: string, type = 'application/json', headers = {}) => {
    const answer = await app.inject({
      method: 'POST', url, headers: { authorization: `Bearer ${tokenOf(7)}`, 'content-type': type, ...headers }, payload
    })
    return { status: answer.statusCode, paths: (answer.json().errors ?? []).map(({ path }: { path: string }) => path) }
  }
  const cases: [string, string, string][] = [
    ['/submit-job', '{"name":"a","data":{"id":1152921506151679042}}', 'body.data.id'],
    ['/submit-job', '{"name":"a","data":{"x":[1e400]}}', 'body.data.x.0'],
    ['/submit-jobs', '{"jobs":[{"name":"a"},{"name":"b","data":{"id":9007199254740993}}]}', 'body.jobs.1.data.id'],
    ['/submit-job', '{"name":"\\ud800"}', 'body.name'],
    ['/submit-job', '{"name":"a\\u0000"}', 'body.name'],
    ['/submit-job', '{"name":"a","queue":"\\udc00"}', 'body.queue'],
    ['/submit-job', '{"name":"a","data":{"t":"\\ud800"}}', 'body.data.t'],
    ['/submit-job', '{"name":"a","data":{"\\ud800":1}}', 'body.data'],
    ['/submit-job', '{"name":"a","webhookUrl":"https://example.com/\\u0000"}', 'body.webhookUrl'],
    ['/submit-job', '{"name":"a","webhookUrl":"https://example.com/\\ud800"}', 'body.webhookUrl']
  ]
  for (const [url, payload, path] of cases) t.same(await post(url, payload), { status: 400, paths: [path] }, payload)
  t.equal((await post('/submit-job', '{"name":"a"}', 'application/json; charset=iso-8859-1')).status, 415)
  t.same(await jobRows(database.sql), [])
  for (const url of [
    '/jobs?name=%ED%A0%80', '/jobs?name=%00', '/jobs/%00', '/jobs/%ED%A0%80', '/jobs/a?queue=%00', '/jobs?cursor=%00'
  ]) {
    t.equal((await app.inject({ url, headers: { authorization: `Bearer ${tokenOf(7)}` } })).statusCode, 400, url)
  }
  t.equal(
    (await post(
      '/submit-job', '{"name":"a","data":{"nul":"\\u0000","big":"1152921506151679042","smile":"\\ud83d\\ude00"}}',
      'application/json; charset="UTF-8"'
    )).status,
    202
  )
})

import t from 'tap'
import { verifyWebhook } from 'tidings/webhooks'
import { startReceiver, type ReceivedRequest } from '@tidings/testing'
import { accessFaults, withoutChromium } from './browser.ts'
import { startDashboard } from './setup.ts'

// A minute where nothing else runs; a machine that is shared by many takes longer.
t.setTimeout(900_000)

t.test('webhooks and deliveries in a browser', { skip: withoutChromium }, async t => {
  const { system, client, database, open, faults } = await startDashboard(t)
  const origin = system.endpoints.edge as string
  /** How the endpoint responds to the requests to come: with these statuses in turn, then with the last of them. */
  let statuses = [200]
  const receiver = await startReceiver(t, (_request, response) => {
    const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) as number
    response.writeHead(status, {
      'content-type': 'application/json', 'x-version': status === 200 ? '1.4.1' : '1.4.0', server: 'receiver'
    })
    response.end(JSON.stringify(status === 200 ? { ok: true, queue: 'reports' } : { ok: false, queue: 'reports' }))
  })
  const page = await open('/', { isRemembered: true })
  const at = (path: string) => `${origin}/dashboard${path}`
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name })
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })
  const link = (name: string | RegExp) => page.getByRole('link', { name })
  /** The webhook that the tests below create. */
  let id = 0
  /** Of a job with a delivery that took two attempts. */
  let jobId = ''
  const requestsOf = (eventId: string) => receiver.requests.filter(({ headers }) => headers['webhook-id'] === eventId)

  await t.test('a new webhook is tested before it receives events', async t => {
    await heading('Jobs').waitFor() // before, nothing listens to keys
    await page.keyboard.press('g')
    await page.keyboard.press('w')
    await heading('Webhooks').waitFor()
    await page.getByText('No webhooks yet').waitFor()
    t.same(await accessFaults(page, 'webhooks-none'), [])
    await page.getByRole('main').getByRole('link', { name: 'New webhook' }).first().click()
    await heading('New webhook').waitFor()

    await page.getByLabel('Address').fill('nowhere')
    await button('Continue to the test').click()
    await page.getByText('This is not a web address').waitFor()
    t.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'url', 'the field has the focus')
    await page.getByLabel('Address').fill(`${receiver.url}/hook`)
    await page.getByLabel('Description').fill('Reports')
    await page.getByLabel('Only in the queues').fill('default')
    await button('Add a header').click()
    await page.getByLabel('Name of header 1').fill('host')
    await page.getByLabel('Value of header 1').fill('abc')
    await button('Continue to the test').click()
    await page.getByText('host is reserved').waitFor()
    t.same(await accessFaults(page, 'webhook-new'), [])
    await page.getByLabel('Name of header 1').fill('x-key')
    await button('Continue to the test').click()

    const secret = await page.locator('code', { hasText: /^whsec_/ }).innerText()
    await client.jobs.submit('draft', {}).then(job => job.wait())
    statuses = [503, 200]
    await button('Send a test').click()
    await page.getByText('It failed while it processed the request: 503').waitFor()
    await button('Send another test').click()
    await page.getByText(/Delivered: 200 in/).waitFor()
    t.same(await accessFaults(page, 'webhook-test'), [])
    const { headers, body } = receiver.requests.at(-1) as ReceivedRequest
    await verifyWebhook(body, headers, secret)
    t.equal(headers['x-key'], 'abc')
    await button('Save').click()
    await heading('Reports').waitFor()
    id = Number(page.url().split('/').at(-1))
    t.match(await client.webhooks.get(id), {
      status: 'active',
      eventTypes: ['completed', 'failed'],
      filter: { queues: ['default'] },
      headers: { 'x-key': '••••' }
    })
    const sent = new Set(receiver.requests.map(({ json }) => (json as { jobname: string }).jobname))
    t.same([...sent], ['test'], 'the draft got tests only')
  })

  await t.test('deliveries appear by themselves, with a chart and figures', async t => {
    for (const name of ['monthly', 'yearly']) await (await client.jobs.submit(name, {})).wait()
    await page.getByRole('link', { name: 'yearly completed' }).waitFor()
    await page.getByText('Success rate').waitFor()
    await page.locator('canvas').nth(1).waitFor()
    t.same(await accessFaults(page, 'webhook'), [])
    await button('API').first().click()
    await page.getByText(`curl '${origin}/webhooks/${id}'`).waitFor()
    await page.keyboard.press('Escape')
  })

  await t.test('attempts are compared side by side, and a delivery is sent again', async t => {
    statuses = [503, 200]
    jobId = (await client.jobs.submit('weekly', {})).jobId
    await receiver.waitFor(all => all.filter(({ json }) => (json as { id: string }).id === jobId).length === 2)
    await page.getByRole('link', { name: 'Deliveries' }).last().click()
    await page.getByRole('link', { name: 'weekly completed' }).click()
    await heading(/^Delivery \d+/).waitFor()
    await page.getByRole('heading', { name: 'Compare' }).waitFor()
    const differing = page.locator('tr[data-differs] th')
    const names = (await differing.allInnerTexts()).map(text => text.replace(/\s*differs/, ''))
    t.strictSame(names, ['Status', 'Error', 'Message', 'x-version'])
    const lines = page.getByRole('region', { name: 'Response body' }).locator('tr[data-differs] code')
    t.strictSame(await lines.allInnerTexts(), ['  "ok": false,', '  "ok": true,'])
    t.same(await accessFaults(page, 'delivery'), [])
    const eventId = await page.locator('dd code').last().innerText()
    await page.keyboard.press('r')
    await receiver.waitFor(() => requestsOf(eventId).length === 3)
    await page.getByRole('region', { name: 'Sent again' }).getByText('delivered').waitFor()
  })

  await t.test('all that match are redelivered, after a count', async t => {
    await page.goto(at('/deliveries?status=delivered&eventType=completed&origin=event'))
    await heading('Deliveries').waitFor()
    await page.getByRole('row', { name: /monthly/ }).waitFor()
    t.equal(await button('delivered').getAttribute('aria-pressed'), 'true')
    t.same(await accessFaults(page, 'deliveries'), [])
    await button('Redeliver all…').click()
    await page.getByText('Redeliver 3 deliveries?').waitFor()
    t.same(await accessFaults(page, 'bulk'), [])
    await button('Redeliver 3').click() // it starts after five seconds
    await page.getByText('3 of 3 done').first().waitFor()
    const first = page.getByRole('checkbox', { name: /^Select delivery/ })
    await first.nth(0).click()
    await first.nth(1).click({ modifiers: ['Shift'] })
    await button('Redeliver 2').waitFor()
    await button('pending').click()
    await page.waitForURL(/status=delivered%2Cpending/)
  })

  await t.test('a replay counts first', async t => {
    await page.goto(at(`/webhooks/${id}`))
    await button('Replay…').click()
    await page.getByLabel(/Only those whose delivery failed/).uncheck()
    await button('Count them').click()
    await page.getByText('3 deliveries would be sent.').waitFor()
    t.same(await accessFaults(page, 'replay'), [])
    await button('Send 3').click()
    await page.waitForURL(/\/replays$/)
    await page.getByText('3 sent: 3 delivered').waitFor()
    t.same(await accessFaults(page, 'replays'), [])
  })

  await t.test('a rotation says how long the replaced secret signs', async t => {
    await link('Settings').click()
    await button('Rotate…').click()
    await button('Rotate').click()
    const secret = await page.getByRole('dialog').locator('code').innerText()
    t.equal(secret, await client.webhooks.secret(id))
    await button('I have it').click()
    await page.getByText(/The secret before it signs too, and ends in 23 h 59 min/).waitFor()
    t.same(await accessFaults(page, 'webhook-settings'), [])
    await page.getByLabel('Description').fill('Reports of all queues')
    await page.getByLabel('Only in the queues').fill('')
    await button('Save changes').click()
    await heading('Reports of all queues').waitFor()
    const { filter, headers } = await client.webhooks.get(id)
    t.same([filter, headers], [{}, { 'x-key': '••••' }], 'the header kept its value')
  })

  await t.test('a webhook says since when its endpoint fails, and when the next attempt is made', async t => {
    statuses = [500]
    await (await client.jobs.submit('hourly', {})).wait()
    await page.goto(at(`/webhooks/${id}`))
    await page.getByText(/Failing since .*, next attempt (in|now)/).waitFor()
    await database.sql`
      update webhooks.webhooks set failures = 42, failing_since = now() - interval '1 hour', open_until = now() + interval '10 min'
      where id = ${id}`
    await page.getByText(/The last 42 attempts failed. Its circuit is open/).waitFor()
    await page.getByText(/Failing since .*, next attempt in 9 min/).waitFor()
    await page.getByText('failing', { exact: true }).waitFor()
    t.same(await accessFaults(page, 'webhook-failing'), [])
    await page.goto(at('/webhooks'))
    await page.getByRole('cell', { name: /in 9 min/ }).waitFor()
    t.same(await accessFaults(page, 'webhooks-failing'), [])
    await link('Reports of all queues').click()
    statuses = [200]
    await button('Try again now').click()
    await page.getByText(/Failing since/).waitFor({ state: 'detached' })
    t.equal((await client.webhooks.get(id)).health.circuit, 'closed')
  })

  await t.test('a disabled webhook says why, and is made active again', async t => {
    statuses = [410]
    await (await client.jobs.submit('gone', {})).wait()
    await page.goto(at(`/webhooks/${id}`))
    await page.getByText('Disabled: its endpoint said that it is gone').waitFor()
    t.same(await accessFaults(page, 'webhook-disabled'), [])
    statuses = [200]
    await button('Make it active again').click()
    await page.getByText('active', { exact: true }).waitFor()
    await button('Pause').click()
    await page.getByText('What was pending waits').waitFor()
    await button('Resume').first().click()
    await page.getByText('What was pending waits').waitFor({ state: 'detached' })
    await page.goto(at('/webhooks'))
    await page.getByRole('img', { name: /^Last 24 hours: \d+ delivered/ }).waitFor()
    t.same(await accessFaults(page, 'webhooks'), [])
  })

  await t.test('a token that may only read is offered nothing else, and one without rights no page', async t => {
    const token = system.token(1, 3_600_000, 'webhooks:read')
    const reader = await open(`/webhooks/${id}/settings`, { token, isRemembered: true })
    await reader.getByText('your token only allows to read them').waitFor()
    t.equal(await reader.getByRole('button', { name: /Pause|Replay|Test|Delete/ }).count(), 0)
    await reader.getByTitle('the token lacks the scope jobs:read').waitFor()
    await reader.goto(at(`/jobs/${jobId}`))
    await reader.getByText('It needs the scope jobs:read').waitFor()
    t.same(await accessFaults(reader, 'not-allowed'), [])
    await reader.getByRole('main').getByRole('link', { name: 'Webhooks' }).click()
    await reader.getByRole('heading', { name: 'Webhooks', exact: true }).waitFor()
    await reader.goto(at('/webhooks/new'))
    await reader.getByText('It needs the scope webhooks:write').waitFor()
    await reader.close()
    t.same(faults.filter(text => text.includes('status of 403')), [], 'nothing was asked for that is refused')

    const stranger = await open(`/webhooks/${id}`, { token: system.token(2) })
    await stranger.getByRole('alert').getByText(/not found/i).waitFor()
    await stranger.close()
  })

  await t.test('the id of an event leads to its job; what a deleted webhook got is not offered again', async t => {
    const [delivery] = (await client.deliveries.list({ webhookId: id, jobId }).page()).deliveries
    await client.webhooks.delete(id)
    await page.goto(at(`/e/${delivery?.eventId}`))
    await heading('weekly').waitFor()
    const marked = page.locator('tr[aria-current]')
    await marked.getByText(delivery?.eventId as string).waitFor()
    t.same(await accessFaults(page, 'event'), [])
    await marked.getByRole('link').first().click()
    await page.getByText('Its webhook was deleted: it cannot be sent again').waitFor()
    t.equal(await button('Redeliver').count(), 0)
    t.same(await accessFaults(page, 'delivery-deleted'), [])
  })

  // The header that was refused, and the webhook of another user.
  const unexpected = faults.filter(text => !/status of 40[04]/.test(text))
  t.same(unexpected, [], 'no error in the console, no violation of the CSP')
})

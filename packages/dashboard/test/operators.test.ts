import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { accessFaults, withoutChromium } from './browser.ts'
import { startDashboard } from './setup.ts'

t.test('operators and embedding in a browser', { skip: withoutChromium }, async t => {
  const app = await startApplication(t)
  const { system, client, open, faults } = await startDashboard(t, {
    env: { DASHBOARD_FRAME_ANCESTORS: `https://*.example.com ${app.origin}` }
  })
  const edge = system.endpoints.edge as string
  const { jobId } = await client.jobs.submit('payroll', { fail: 'no bank' })
  const first = await client.jobs.wait(jobId).catch(async () => await client.jobs.get(jobId))
  await client.webhooks.create({ url: 'http://127.0.0.1:9/hook', eventTypes: ['completed'] })

  await t.test('an operator sees the system, and acts for a user', async t => {
    const token = system.token('operator', 3_600_000, 'jobs:read operator:read operator:write')
    const page = await open('/operators', { token })
    await page.getByRole('region', { name: 'Queues' }).getByRole('rowheader', { name: 'default' }).first().waitFor()
    await page.getByText('The last attempt at every endpoint succeeded').waitFor()
    const row = page.getByRole('link', { name: 'payroll' })
    await row.waitFor()
    t.same(await accessFaults(page, 'operators'), [])
    await row.click()
    await page.waitForURL(url => url.pathname === `/dashboard/as/1/jobs/${jobId}`)
    await page.getByText('belongs to user 1').waitFor()
    await page.getByRole('region', { name: 'Why it failed' }).getByText('no bank').waitFor()
    await page.getByRole('button', { name: 'Retry' }).click()
    await client.jobs.wait(jobId, { after: first.lastEventId as string }).catch(() => {})
    t.same(await accessFaults(page, 'acting'), [])
    await page.getByRole('link', { name: 'Back to your own pages' }).click()
    await page.getByRole('heading', { name: 'All users', exact: true }).waitFor()
    await page.close()
  })

  await t.test('a user has no page of operators', async t => {
    const page = await open('/jobs')
    await page.getByRole('link', { name: 'payroll' }).waitFor()
    t.equal(await page.getByRole('link', { name: 'All users' }).count(), 0)
    await page.close()
  })

  await t.test('an application that embeds the page signs its user in, and no other does', async t => {
    const page = await open('/jobs')
    await page.goto(app.pageOf(edge, { token: system.token(1), sections: ['webhooks'], theme: 'dark' }))
    const frame = page.frameLocator('iframe')
    await frame.getByRole('heading', { name: 'Webhooks', exact: true }).waitFor()
    t.same(await frame.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents(), [
      'Webhooks', 'Deliveries'
    ])
    t.equal(await frame.locator('html').getAttribute('data-theme'), 'dark')
    t.equal(await frame.getByRole('button', { name: 'Sign out' }).count(), 0)

    // The same page by another name is another origin, which the policy lets nobody embed.
    const other = app.pageOf(edge, { token: system.token(1) }).replace('127.0.0.1', 'localhost')
    const refused = faults.length
    await page.goto(other)
    await page.waitForFunction(() => 'loads' in window && window.loads === 1)
    t.equal(await page.frameLocator('iframe').getByRole('heading', { name: 'Jobs' }).count(), 0)
    t.match(faults.splice(refused).join(), /frame-ancestors/)
    await page.close()
  })

  t.same(faults, [])
})

/** A page of another origin with the dashboard in a frame, to which it hands over what its address says. */
async function startApplication (t: Test) {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url as string, 'http://app')
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>An application</title>
      <iframe title="Tidings" src="${searchParams.get('src')}" width="1000" height="700" onload="loads++"></iframe>
      <script>
        var loads = 0
        addEventListener('message', ({ source, origin, data }) => {
          if (data.type === 'tidings:ready') source.postMessage(${searchParams.get('session')}, origin)
        })
      </script>`)
  }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close(); server.closeAllConnections() })
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    pageOf: (edge: string, session: object) => `${origin}/?${new URLSearchParams({
      src: `${edge}/dashboard/`, session: JSON.stringify({ type: 'tidings:session', ...session })
    })}`
  }
}

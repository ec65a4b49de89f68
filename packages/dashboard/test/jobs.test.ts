import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t from 'tap'
import type { Bulk, BulkProgress } from 'tidings'
import { startReceiver, until } from '@tidings/testing'
import { accessFaults, withoutChromium } from './browser.ts'
import { startDashboard } from './setup.ts'

t.test('jobs in a browser', { skip: withoutChromium }, async t => {
  const { system, client, database, open, faults } = await startDashboard(t)

  await t.test('a link signs in, and its tokens leave the address at once', async t => {
    const page = await open('/')
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    await page.getByText('No jobs yet').waitFor()
    t.equal(new URL(page.url()).pathname, '/dashboard/jobs')
    t.equal(new URL(page.url()).hash, '')
    t.equal(await page.evaluate(() => sessionStorage.length), 0, 'and are not kept unless one asks for it')
    await page.getByText('live', { exact: true }).waitFor()

    const { jobId } = await client.jobs.submit('first', {})
    await page.getByRole('link', { name: 'first' }).waitFor()
    await client.jobs.wait(jobId)
    await page.getByRole('row').filter({ hasText: 'completed' }).waitFor()

    await client.jobs.submit('second', { steps: 1 })
    await page.getByRole('button', { name: '1 new job' }).waitFor()
    t.equal(await page.getByRole('link', { name: 'second' }).count(), 0, 'new jobs wait while one reads')
    await page.getByRole('button', { name: '1 new job' }).click()
    await page.getByRole('link', { name: 'second' }).waitFor()
    t.same(await accessFaults(page, 'jobs'), [])
    await page.close()
  })

  await t.test('a new user retries a failed job and sees its webhook delivered', async t => {
    const receiver = await startReceiver(t)
    await client.webhooks.create({ url: `${receiver.url}/hook`, eventTypes: ['completed', 'failed'] })
    const { jobId } = await client.jobs.submit('invoice', { fail: 'no paper', once: true, large: true })
    await client.jobs.wait(jobId).catch(() => {})
    const page = await open('/jobs?status=failed')
    await page.getByRole('link', { name: 'invoice' }).click()
    await page.getByRole('region', { name: 'Why it failed' }).getByText('no paper').waitFor()
    t.equal(await page.evaluate(() => document.activeElement?.textContent), 'invoice', 'the heading has the focus')

    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('completed', { exact: true }).first().waitFor()
    const attempts = page.getByRole('region', { name: 'Attempts' }).getByRole('row')
    await attempts.filter({ hasText: 'no paper' }).getByText('failed').waitFor()
    await attempts.nth(2).getByText('completed').waitFor()
    await page.getByText('2 (1 planned)').waitFor() // a retry on request adds one
    const row = page.getByRole('region', { name: 'Who was notified' }).getByRole('row').filter({ hasText: 'completed' })
    await row.getByText('delivered').waitFor()
    const eventId = await row.locator('code').textContent()
    t.ok(receiver.requests.some(({ headers }) => headers['webhook-id'] === eventId), 'with the id that the webhook got')

    const result = page.getByRole('region', { name: 'Result as JSON' })
    await result.getByText('20,000 items').waitFor()
    await result.getByText('9007199254740993').waitFor() // which a number cannot hold
    await result.getByRole('button', { name: 'Unfold $.rows' }).click()
    await result.getByText('20,000 items').waitFor({ state: 'detached' })
    t.ok(await result.locator('[data-index]').count() < 100, 'only lines that can be seen are drawn')
    t.same(await accessFaults(page, 'job'), [])

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const copied = (path: string) => page.waitForFunction(
      async expected => await navigator.clipboard.readText() === expected, path)
    await result.getByRole('button', { name: '"total":' }).click()
    await page.getByText('returnvalue.total').first().waitFor()
    await copied('returnvalue.total')
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'Enter']) {
      await page.keyboard.press(key)
      await page.evaluate(() => new Promise(resolve => { requestAnimationFrame(() => requestAnimationFrame(resolve)) }))
    }
    await copied('returnvalue.rows[0].id')
    t.same(await accessFaults(page, 'json-path'), [])
    await page.close()
  })

  await t.test('a job is submitted once more with other data', async t => {
    const { jobId } = await client.jobs.submit('export', { customer: 1 })
    const page = await open(`/jobs/${jobId}`)
    await page.getByRole('button', { name: 'Resubmit' }).click()
    const field = page.getByRole('textbox', { name: 'Data' })
    await field.fill('{"customer":')
    t.equal(await page.getByRole('button', { name: 'Submit', exact: true }).isDisabled(), true)
    await field.fill('{"customer": 2, "file": "b.csv"}')
    await page.getByRole('button', { name: 'Submit', exact: true }).click()
    await page.waitForURL(url => !url.pathname.includes(jobId))
    await page.getByRole('region', { name: 'Data as JSON' }).getByText('"b.csv"').waitFor()
    await page.close()
  })

  await t.test('all jobs that match are retried, after a count', async t => {
    const data = { steps: 0, fail: 'timeout', once: true }
    await client.jobs.submitMany(Array.from({ length: 120 }, () => ({ name: 'resize', data })))
    const areAll = (status: 'failed' | 'completed') => async () => {
      const { pagination } = await client.jobs.list({ name: 'resize', status, limit: 1 }).page()
      return pagination.total === 120
    }
    await until(areAll('failed'))
    const page = await open('/jobs?status=failed&name=resize')
    await page.getByText('120 jobs').waitFor()
    const retryAll = async () => {
      await page.getByLabel('Select all rows that are loaded').check()
      await page.getByRole('button', { name: 'Choose all 120 that match' }).click()
      await page.getByRole('region', { name: 'Chosen jobs' }).getByRole('button', { name: 'Retry' }).click()
      await page.getByRole('alertdialog').getByText('Retry 120 jobs?').waitFor()
      await page.getByRole('button', { name: 'Retry 120' }).click()
    }
    // In the page, at once: it starts after five seconds, which a busy machine may take for a click.
    await page.evaluate(() => {
      new MutationObserver((_changes, observer) => {
        const undo = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Undo')
        if (!undo) return
        observer.disconnect()
        undo.click()
      }).observe(document.body, { childList: true, subtree: true })
    })
    await retryAll()
    await page.getByText('Retry 120 jobs: nothing was started.').first().waitFor()
    t.same(await client.bulk.list(), [])
    await retryAll()
    await page.getByText('120 of 120 done').first().waitFor()
    await until(areAll('completed'))
    t.ok(await page.getByRole('row').count() < 60, 'only rows that can be seen are drawn')
    await page.close()
  })

  await t.test('the progress of an action on many is pushed to the page', async t => {
    // One that no service works on: only what is pushed says that it advances.
    const { sql } = database
    await sql`
      insert into jobs.bulks (id, user_id, action, state, matched, is_settled)
      values ('0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17', '1', 'cancel', 'running', 100, true)`
    const { bulkId, action } = (await client.bulk.list()).find(({ state }) => state === 'running') as Bulk
    const redis = new Redis(system.endpoints.redis as string)
    t.teardown(() => redis.disconnect())
    const push = async (progress: Partial<BulkProgress>) => {
      const all = { bulkId, action, state: 'running', matched: 100, done: 0, failed: 0, skipped: 0, ...progress }
      await redis.publish('{tidings}:bulk-progress', JSON.stringify({ userId: '1', progress: all }))
    }
    const page = await open('/jobs')
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByText('0 of 100 done').waitFor()
    await push({ done: 40, skipped: 2 })
    await page.getByText('40 of 100 done, 2 left as they are').waitFor()
    t.same(await accessFaults(page, 'bulk-running'), [])

    await sql`
      update jobs.bulks set state = 'finished', done = 99, failed = 1, finished_at = now(),
        errors = '[{"id": "x", "reason": "It has ended"}]'
      where state = 'running'`
    await push({ state: 'finished', done: 99, failed: 1 })
    await page.getByText('99 of 100 done, 1 not possible').first().waitFor()
    await page.getByText('Why not').waitFor()
    await page.close()
  })

  await t.test('the id of an event leads to its job, whatever it was an event of', async t => {
    const { jobId } = await client.jobs.submit('found', {})
    await client.jobs.wait(jobId)
    const timeline = await client.jobs.timeline(jobId)
    const idOf = (type: string) => timeline.find(event => event.type === type)?.eventId as string
    const [first, last] = [idOf('waiting'), idOf('completed')]
    const page = await open(`/e/${first}`, { isRemembered: true })
    await page.getByText(`Event ${first}: waiting`).waitFor() // of the stream
    await page.locator('tr[aria-current]').getByText(first).waitFor()
    t.equal(new URL(page.url()).searchParams.get('event'), first)
    const at = (path: string) => `${system.endpoints.edge}/dashboard${path}`
    await page.goto(at(`/e/${last}`))
    await page.getByText(`Event ${last}: completed`).waitFor() // the last one of a job that has finished
    await page.goto(at(`/jobs?q=${last}`))
    await page.getByRole('link', { name: 'find its job' }).click()
    await page.getByText(`Event ${last}: completed`).waitFor()
    await page.goto(at('/e/1640995300000-7'))
    await page.getByText('No event with this id was found').waitFor()
    t.same(await accessFaults(page, 'event-missing'), [])
    await page.close()
  })

  await t.test('columns are chosen, kept by the browser, and named by a link', async t => {
    const page = await open('/jobs?name=found', { isRemembered: true })
    const headers = page.getByRole('columnheader')
    const texts = async () => (await headers.allTextContents()).filter(Boolean)
    await page.getByRole('link', { name: 'found' }).waitFor()
    t.same(await texts(), ['Name', 'State', 'Progress', 'Id', 'Queue', 'Took', 'Created'])
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByRole('checkbox', { name: 'Queue' }).click()
    await page.getByRole('checkbox', { name: 'Finished' }).click()
    t.same(await accessFaults(page, 'columns'), [])
    await page.keyboard.press('Escape')
    await page.reload()
    await page.getByRole('link', { name: 'found' }).waitFor()
    t.same(await texts(), ['Name', 'State', 'Progress', 'Id', 'Took', 'Created', 'Finished'])
    await page.goto(`${system.endpoints.edge}/dashboard/jobs?name=found&columns=state,queue`)
    await headers.getByText('Queue').waitFor()
    t.same(await texts(), ['Name', 'State', 'Queue'])
    await page.close()
  })

  await t.test('a gateway that is killed is said, and nothing is missed', async () => {
    const { jobId } = await client.jobs.submit('long', { steps: 400, pauseMs: 20 })
    const page = await open(`/jobs/${jobId}`, { viewport: { width: 390, height: 844 } })
    await page.getByText('active', { exact: true }).first().waitFor()
    const states = await page.evaluateHandle(() => {
      const seen: (string | null)[] = []
      const badge = document.querySelector('[data-state]') as Element
      new MutationObserver(() => seen.push(badge.getAttribute('data-state')))
        .observe(badge, { attributes: true })
      return seen
    })
    await system.process('realtime-gateway-1').kill('SIGKILL')
    await page.waitForFunction(seen => seen.includes('recovering'), states)
    await page.waitForFunction(seen => seen.at(-1) === 'live', states)
    await page.getByText('completed', { exact: true }).first().waitFor()
    const chart = page.getByRole('figure', { name: 'Progress over time' })
    await chart.getByText('100%').first().waitFor({ state: 'attached' })
    await page.close()
  })

  await t.test('without jobs-api the page says so, and recovers', async () => {
    const page = await open('/jobs?name=first')
    await page.getByRole('link', { name: 'first' }).waitFor()
    const jobsApi = system.process('jobs-api')
    const back = new AbortController()
    const killing = (async () => {
      while (!back.signal.aborted) {
        if (jobsApi.pid === undefined) await sleep(10)
        else await jobsApi.kill('SIGKILL')
      }
    })()
    await page.getByRole('link', { name: 'first' }).click()
    await page.getByText('A service is away at the moment').first().waitFor()
    back.abort()
    await killing
    await jobsApi.ready()
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await page.getByRole('heading', { name: 'first' }).waitFor()
    await page.close()
  })

  t.same(faults, [], 'no page has complained')
})

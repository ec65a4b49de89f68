import { createElement as h, StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import type { Page } from 'playwright-core'
import t from 'tap'
import { until } from '@tidings/testing'
import { createClient } from '../src/index.ts'
import { TidingsProvider, useJob, useJobs, useTidingsStatus } from '../src/react.ts'
import { bundleFixture, openPage, startBrowser, withoutChromium } from './browser.ts'
import { job, startFakeServer } from './fake-server.ts'
import type { PageWindow } from './fixtures/react-page.ts'
import { startCounting } from './system.ts'

declare const window: PageWindow

t.test('on the server the hooks render what is given, and ask for nothing', async t => {
  const fake = await startFakeServer(t)
  const client = fake.client()
  function View () {
    const known = useJob('j', { initial: job({ progress: 40 }) as never })
    const unknown = useJob('other')
    const none = useJob(undefined)
    const off = useJob('j', { enabled: false })
    const list = useJobs({ status: 'failed' })
    const text = [known, unknown, none, off, list].map(({ status }) => status).join()
    return h('p', {}, `${text} ${String(known.job?.progress)} ${useTidingsStatus().state}`)
  }
  const html = renderToString(h(StrictMode, {}, h(TidingsProvider, { client }, h(View))))
  t.equal(html, '<p>loading,loading,idle,idle,loading 40 idle</p>')
  t.same(fake.requests, [])
  t.throws(() => renderToString(h(View)), { message: 'There is no TidingsProvider above' })
})

t.test('pages', { skip: withoutChromium }, async t => {
  const system = await startCounting(t)
  const edge = system.endpoints.edge as string
  const browser = await startBrowser(t)
  const script = await bundleFixture('react-page.ts')
  const open = async () => await openPage(browser, edge, script)
  const look = async (page: Page) => await page.evaluate(() => window.look())
  const text = async (page: Page, selector: string) => await page.locator(selector).textContent()

  for (const channel of ['websocket', 'sse', 'poll'] as const) {
    t.test(`a job is shown to its end over ${channel}, with one subscription in StrictMode`, async t => {
      const token = system.token(`react ${channel}`)
      const { jobId } = await createClient({ url: edge, token }).jobs.submit('count', { to: 100, pauseMs: 80 })
      const page = await open()
      await page.evaluate(options => window.start(options), { url: edge, token, channels: [channel], jobId })
      await until(async () => await text(page, '#job') === 'ended completed 100')
        .catch(async err => { throw Object.assign(err, { page: await look(page) }) })
      const { seen, sockets, requests, renders } = await look(page)
      t.equal(seen[0], 'loading - -')
      t.match(seen.at(-1), 'ended completed 100')
      const progress = seen.slice(1).map(line => Number(line.split(' ').at(-1)))
      t.same(progress, progress.toSorted((a, b) => a - b), 'progress never goes back')
      t.ok(renders < 300, `${renders} renders`)
      t.equal(sockets, channel === 'websocket' ? 1 : 0)
      if (channel !== 'poll') t.ok(requests.length <= 5, requests.join())
      await page.evaluate(() => window.end())
      await until(async () => {
        const { openSockets, listeners, status } = await look(page)
        return openSockets === 0 && listeners === 0 && status === 'idle'
      })
      await page.close()
    })
  }

  t.test('unmounting, another id and an unknown job', async t => {
    const token = system.token('react ids')
    const client = createClient({ url: edge, token })
    const [one, two] = await client.jobs.submitMany([
      { name: 'count', data: { to: 400, pauseMs: 50 } }, { name: 'count', data: { to: 400, pauseMs: 50 } }
    ])
    const page = await open()
    await page.evaluate(options => window.start(options), { url: edge, token, jobId: one?.jobId as string })
    await until(async () => /watching active [1-9]/.test(await text(page, '#job') ?? ''))
    await until(async () => await text(page, '#status') === 'live')
    await page.evaluate(id => window.setId(id), two?.jobId as string)
    await until(async () => /watching active [1-9]/.test(await text(page, '#job') ?? ''))
    t.equal((await look(page)).sockets, 1, 'the connection is kept')
    await page.evaluate(() => window.setId('nothing'))
    await until(async () => await text(page, '#job') === 'error - -')
    t.equal(await text(page, '#error'), 'not_found')
    await until(async () => (await look(page)).openSockets === 0, { what: 'nothing to follow, no connection' })
    await page.evaluate(id => window.setId(id), one?.jobId as string)
    await page.click('#cancel')
    await page.evaluate(() => window.end())
    const requests = await until(async () => {
      const { openSockets, listeners, requests } = await look(page)
      return openSockets === 0 && listeners === 0 && requests
    })
    t.ok(requests.includes(`POST /jobs/${one?.jobId}/cancel`))
    await page.close()
  })

  t.test('a retry is followed to its own end', async () => {
    const token = system.token('react retry')
    const client = createClient({ url: edge, token })
    const { jobId } = await client.jobs.submit('count', { to: 5, fail: 'no luck', once: true })
    const page = await open()
    await page.evaluate(options => window.start(options), { url: edge, token, jobId })
    await until(async () => await text(page, '#job') === 'ended failed 5')
    await page.click('#retry')
    await until(async () => await text(page, '#job') === 'ended completed 5')
    await page.close()
  })

  t.test('what the server has rendered is taken over', async t => {
    const token = system.token('react hydrate')
    const client = createClient({ url: edge, token })
    const { jobId } = await client.jobs.submit('count', { to: 3 })
    await client.jobs.wait(jobId)
    const page = await open()
    const html = '<div><div><output id="job">loading - -</output><output id="error">undefined</output>' +
      '<output id="status">idle</output><button id="retry"></button><button id="cancel"></button></div></div>'
    await page.evaluate(options => window.start(options), { url: edge, token, jobId, html })
    await until(async () => await text(page, '#job') === 'ended completed 3')
    t.same((await look(page)).seen.filter(line => line.startsWith('hydration')), [])
    await page.close()
  })

  t.test('rows of a list change in place, and new ones are counted until they are shown', async t => {
    const token = system.token('react list')
    const client = createClient({ url: edge, token })
    const submit = async (count: number, data: object) =>
      await client.jobs.submitMany(Array.from({ length: count }, () => ({ name: 'count', data: { ...data } })))
    const rows = async () => await page.locator('li').allTextContents()
    await Promise.all((await submit(3, { to: 1 })).map(({ wait }) => wait()))
    const page = await open()
    await page.evaluate(options => window.start(options), { url: edge, token, list: { limit: 2 } })
    await until(async () => await text(page, '#list') === 'live 0 true')
    t.equal((await rows()).length, 2)
    await page.click('#more')
    await until(async () => (await rows()).length === 3)
    t.equal(await text(page, '#list'), 'live 0 false')

    const [added] = await submit(1, { to: 150, pauseMs: 100 })
    await until(async () => /^live 1/.test(await text(page, '#list') ?? ''))
    t.equal((await rows()).length, 3, 'rows do not move by themselves')
    await page.click('#show')
    await until(async () => (await rows())[0]?.startsWith(added?.jobId ?? '-'))
    t.equal((await rows()).length, 4)
    await until(async () => / active \d/.test((await rows())[0] ?? ''))
    await until(async () => / completed 150$/.test((await rows())[0] ?? ''))
    t.match(await text(page, '#list'), /^live 0/)
    await page.evaluate(() => window.end())
    await until(async () => {
      const { openSockets, listeners } = await look(page)
      return openSockets === 0 && listeners === 0
    })
    await page.close()
  })

  t.test('a list and a job on one page share a connection', async t => {
    const token = system.token('react both')
    const client = createClient({ url: edge, token })
    const { jobId } = await client.jobs.submit('count', { to: 200, pauseMs: 50 })
    const page = await open()
    await page.evaluate(options => window.start(options), { url: edge, token, jobId, list: {} })
    await until(async () => /^live/.test(await text(page, '#list') ?? ''))
    await until(async () => / active [1-9]/.test(await text(page, 'li') ?? ''))
    await until(async () => /watching active [1-9]/.test(await text(page, '#job') ?? ''))
    t.equal((await look(page)).sockets, 1)
    await page.evaluate(() => window.setId(undefined))
    const before = await text(page, 'li')
    await until(async () => await text(page, 'li') !== before, { what: 'the list to go on without the job' })
    await page.evaluate(() => window.end())
    await until(async () => {
      const { openSockets, listeners, status } = await look(page)
      return openSockets === 0 && listeners === 0 && status === 'idle'
    })
    await page.close()
  })

  t.test('a list is polled where nothing can push', async () => {
    const token = system.token('react polled list')
    const client = createClient({ url: edge, token })
    const page = await open()
    await page.evaluate(options => window.start(options), { url: edge, token, list: {}, channels: ['poll' as const] })
    await until(async () => await text(page, '#list') === 'polling 0 false')
    const { jobId } = await client.jobs.submit('count', { to: 2 })
    await until(async () => (await page.locator('li').allTextContents())[0] === `${jobId} completed 2`)
    await page.close()
  })
})

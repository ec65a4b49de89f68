import type { AddressInfo } from 'node:net'
import { chromium } from 'playwright-core'
import t from 'tap'
import { startSystem } from '@tidings/local'
import { temporaryFolder } from '@tidings/testing'
import { serve } from '../src/serve.ts'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
const TIMEOUT = { timeout: 60_000 }

t.test('the page follows a job from its start to its result', {
  skip: executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'
}, async t => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn' }
  const system = await startSystem({ folder: temporaryFolder(t, 'progress'), ports: 'free', report: () => {}, env })
  t.teardown(() => system.stop())
  const server = await serve({ url: system.endpoints.edge as string, token: system.token(1), port: 0 })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run']
  const browser = await chromium.launch({ executablePath: executablePath as string, args, headless: true })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', err => errors.push(String(err)))
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await page.getByRole('button', { name: 'Process a file' }).click()
  await page.getByRole('progressbar').waitFor(TIMEOUT)
  await page.getByText('Done: 42049 rows').waitFor(TIMEOUT)
  t.same(errors, [])
})

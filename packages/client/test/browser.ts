import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium, type Browser, type Page } from 'playwright-core'
import { temporaryFolder, type TestContext } from '@tidings/testing'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
export const withoutChromium = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  // A page that the test answers for has no address, and would count as one of the internet.
  '--disable-features=LocalNetworkAccessChecks'
]

export async function startBrowser (t: TestContext): Promise<Browser> {
  const options = { executablePath: executablePath as string, args: FLAGS, headless: true }
  const downloadsPath = temporaryFolder(t, 'chromium')
  const browser = await chromium.launch({ ...options, downloadsPath })
  t.teardown(() => browser.close())
  return browser
}

/** A file of test/fixtures as a script for pages. */
export async function bundleFixture (name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false
  })
  return outputFiles[0]?.text ?? ''
}

/** A page of an origin that has the script, and no request of the browser's own. */
export async function openPage (browser: Browser, origin: string, script: string): Promise<Page> {
  const page = await browser.newPage()
  await page.route(`${origin}/test-page`, route => route.fulfill({
    contentType: 'text/html',
    body: '<!doctype html><link rel="icon" href="data:,"><div id="root"></div>'
  }))
  await page.goto(`${origin}/test-page`)
  await page.addScriptTag({ content: script })
  return page
}

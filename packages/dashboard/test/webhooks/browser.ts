import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { temporaryFolder, type TestContext } from '@tidings/testing'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
export const withoutChromium = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Of WCAG 2.2, the levels A and AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
/** A shared machine can be very slow; nothing here is about speed. */
const TIMEOUT_MS = 60_000
/** Where to keep screenshots, to look at them. */
const screenshots = process.env.TIDINGS_SCREENSHOTS

const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'dark', viewport: { width: 390, height: 844 } }
} as const

export interface Screen {
  page: Page
  /** What the page has complained about so far: errors in the console, uncaught ones, violations of the CSP. */
  faults: string[]
}

export async function startBrowser (t: TestContext): Promise<Browser> {
  const downloadsPath = temporaryFolder(t, 'chromium')
  const browser = await chromium.launch({
    executablePath: executablePath as string, args: FLAGS, headless: true, downloadsPath
  })
  t.teardown(() => browser.close())
  return browser
}

/** A page of a browser context of its own, which has axe and no session. */
export async function newScreen (browser: Browser): Promise<Screen> {
  const context = await browser.newContext({ ...LOOKS.light, reducedMotion: 'reduce' })
  context.setDefaultTimeout(TIMEOUT_MS)
  await context.addInitScript({ content: AXE })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', message => { if (message.type() === 'error') faults.push(message.text()) })
  page.on('pageerror', err => { faults.push(String(err)) })
  return { page, faults }
}

/** What axe finds, wide in light colours, and on a phone in dark ones. */
export async function findFaults (page: Page, name: string): Promise<string[]> {
  const found: string[] = []
  for (const [look, { colorScheme, viewport }] of Object.entries(LOOKS)) {
    await show(page, colorScheme, viewport)
    let violations = await violationsOf(page)
    // A page that is drawn again while axe reads its colours has some of the former ones: what stays is a fault.
    for (let tries = 0; violations.length > 0 && tries < 3; tries++) {
      await nextFrame(page)
      violations = await violationsOf(page)
    }
    found.push(...violations.map(({ id, nodes }) => `${name}, ${look}: ${id} ${nodes.map(({ html }) => html).join(' ')}`))
    const scrolled = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      return scrollWidth - clientWidth
    })
    if (scrolled > 0) found.push(`${name}, ${look}: ${scrolled} px wider than the screen`)
    if (screenshots) {
      mkdirSync(screenshots, { recursive: true })
      await page.screenshot({ path: join(screenshots, `${name}-${look}.png`), fullPage: true })
    }
  }
  await show(page, LOOKS.light.colorScheme, LOOKS.light.viewport)
  return found
}

async function show (page: Page, colorScheme: 'light' | 'dark', viewport: { width: number, height: number }) {
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize(viewport)
  await nextFrame(page)
}

const nextFrame = (page: Page) => page.evaluate(() => new Promise(resolve => {
  requestAnimationFrame(() => { requestAnimationFrame(resolve) })
}))

async function violationsOf (page: Page): Promise<AxeResults['violations']> {
  const { violations } = await page.evaluate(
    rules => (globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe
      .run({ runOnly: rules, resultTypes: ['violations'] }), RULES)
  return violations
}

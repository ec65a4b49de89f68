import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { temporaryFolder, type TestContext } from '@tidings/testing'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
export const withoutChromium = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
/** Of WCAG 2.2, the levels A and AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
/** Where to keep screenshots, to look at them. */
const screenshots = process.env.TIDINGS_SCREENSHOTS

/** How a page is looked at; the first is how it is opened. */
export const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'dark', viewport: { width: 390, height: 844 } }
} as const

/** Of tablets and small laptops: a list is a table of columns from 1,141 px on. */
const WIDTHS_BETWEEN = [740, 1000, 1141]

export async function startBrowser (t: TestContext): Promise<Browser> {
  const downloadsPath = temporaryFolder(t, 'chromium')
  const browser = await chromium.launch({ executablePath: executablePath as string, args: FLAGS, downloadsPath })
  t.teardown(() => browser.close())
  return browser
}

/**
 * What axe finds, and what is wider than the screen: wide in light colours, and on a phone in dark ones; and at widths
 * between. Leaves the page as it is opened.
 */
export async function accessFaults (page: Page, name: string): Promise<string[]> {
  // Evaluated by the debugger, so the policy of the page stays as it is.
  await page.evaluate(axe.source)
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
    const scrolled = await excessOf(page)
    if (scrolled > 0) found.push(`${name}, ${look}: ${scrolled} px wider than the screen`)
    if (screenshots) {
      mkdirSync(screenshots, { recursive: true })
      await page.screenshot({ path: join(screenshots, `${name}-${look}.png`), fullPage: true })
    }
  }
  for (const width of WIDTHS_BETWEEN) {
    await show(page, 'light', { width, height: LOOKS.light.viewport.height })
    const scrolled = await excessOf(page)
    if (scrolled > 0) found.push(`${name}, ${width} px: ${scrolled} px wider than the screen`)
  }
  await show(page, LOOKS.light.colorScheme, LOOKS.light.viewport)
  return found
}

/** By how many pixels a page is wider than its screen. */
async function excessOf (page: Page): Promise<number> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    return scrollWidth - clientWidth
  })
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

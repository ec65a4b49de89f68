import axe from 'axe-core'
import type { Page } from 'playwright-core'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

interface Axe {
  run: (options: object) => Promise<{ violations: { id: string, nodes: { html: string, failureSummary: string }[] }[] }>
}

/** What of WCAG 2.2 AA axe finds to be violated on a page as it stands, with the elements. */
export async function accessFaults (page: Page): Promise<string[]> {
  // Evaluated by the debugger, so the policy of the page stays as it is.
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async rules => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run({ runOnly: rules, resultTypes: ['violations'] })
    return violations
  }, RULES)
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import type { TestContext } from '@tidings/testing'
import { openPage } from './browser.ts'
import type { PageWindow } from './fixtures/fault-page.ts'
import type { ReaderOptions, Report } from './fixtures/fault-reader.ts'

/** A client in a process or a page of its own. */
export interface RemoteReader {
  begin: (options: ReaderOptions) => Promise<void>
  wait: (jobId: string) => Promise<void>
  report: () => Promise<Report>
  /** Its timers stand still, as in a tab in the background or on a machine that sleeps. */
  sleep: () => Promise<void>
  wake: () => Promise<void>
}

type Answer = { id: number, value?: unknown, error?: string }

/** In a Node process, which sleeps by SIGSTOP. */
export function forkReader (t: TestContext): RemoteReader {
  const child = fork(fileURLToPath(new URL('./fixtures/fault-process.ts', import.meta.url)), { execArgv: [] })
  t.teardown(() => { child.kill('SIGKILL') })
  const pending = new Map<number, (answer: Answer) => void>()
  child.on('message', (answer: Answer) => pending.get(answer.id)?.(answer))
  let ids = 0
  const send = async (call: string, argument?: unknown): Promise<unknown> => {
    const id = ids++
    const answer = await new Promise<Answer>(resolve => {
      pending.set(id, resolve)
      child.send({ id, call, argument })
    })
    pending.delete(id)
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.value
  }
  return {
    begin: async options => { await send('begin', options) },
    wait: async jobId => { await send('wait', jobId) },
    report: async () => await send('report') as Report,
    sleep: async () => { child.kill('SIGSTOP') },
    wake: async () => { child.kill('SIGCONT') }
  }
}

declare const window: PageWindow

/** In a page of Chromium, which is frozen as a tab in the background is. */
export async function openReader (t: TestContext, browser: Browser, script: string): Promise<RemoteReader> {
  let page: Awaited<ReturnType<typeof openPage>>
  const freeze = async (state: 'frozen' | 'active') => {
    const session = await page.context().newCDPSession(page)
    await session.send('Page.setWebLifecycleState', { state })
    await session.detach()
  }
  return {
    begin: async options => {
      page = await openPage(browser, options.url, script)
      t.teardown(() => page.close())
      await page.evaluate(async options => {
        window.reader = window.createReader(options)
        await window.reader.ready()
      }, options)
    },
    wait: async jobId => { await page.evaluate(id => window.reader.wait(id), jobId) },
    report: async () => await page.evaluate(() => window.reader.report()),
    sleep: async () => { await freeze('frozen') },
    wake: async () => { await freeze('active') }
  }
}

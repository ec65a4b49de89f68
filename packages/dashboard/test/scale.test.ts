import { cpus } from 'node:os'
import type { Page } from 'playwright-core'
import t from 'tap'
import { withoutChromium } from './browser.ts'
import { startDashboard, type Dashboard } from './setup.ts'

/** `npm run scale` sets SCALE=long. */
const skip = process.env.SCALE === 'long' ? withoutChromium : '`npm run scale` shows 100,000 jobs'
const MANY = 100_000
const FEW = 10
/** So many rows are held; beyond, memory must not grow. */
const HELD = 10_000
const RUNS = 3
t.setTimeout(3_600_000)

t.test('a list of 100,000 jobs costs a browser hardly more than one of ten', { skip }, async t => {
  const { system, database, open, faults } = await startDashboard(t)
  await fill(database, '1', MANY)
  await fill(database, '2', FEW)
  await database.sql`vacuum analyze jobs.jobs`
  report(`${cpus().length} × ${cpus()[0]?.model}, everything on this machine`)

  await t.test('it can be used as soon', async t => {
    const times = { few: [] as number[], many: [] as number[] }
    for (let run = 0; run <= RUNS; run++) {
      for (const [name, userId] of [['few', 2], ['many', 1]] as const) {
        const page = await open('/jobs', { token: system.token(userId) })
        const ms = await untilUsable(page)
        await page.close()
        if (run > 0) times[name].push(ms) // the first one fills caches
      }
    }
    const [few, many] = [median(times.few), median(times.many)]
    report(`rows that listen to keys after ${few} ms with ${FEW} jobs, ${many} ms with ${MANY}`)
    t.ok(many < 3 * few)
  })

  await t.test('one scrolls through them in bounded memory', async t => {
    const small = await open('/jobs', { token: system.token(2) })
    await untilUsable(small)
    const few = await heapOf(small)
    await small.close()
    const page = await open('/jobs')
    await untilUsable(page)
    const first = await heapOf(page)
    await scrollToRow(page, HELD)
    const full = await heapOf(page)
    await scrollToRow(page, 2 * HELD)
    const last = await heapOf(page)
    await page.evaluate(() => { scrollTo({ top: 0 }) })
    await page.locator('[aria-rowindex="2"]').getByRole('link').waitFor() // which was dropped, and is loaded again
    const back = await heapOf(page)
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
    report(`heap: ${mb(few)} with ${FEW} jobs; with ${MANY} ${mb(first)} at first, ${mb(full)} at row ${HELD}, ` +
      `${mb(last)} at row ${2 * HELD}, ${mb(back)} back at the start`)
    t.ok(await page.getByRole('row').count() < 60, 'only rows that can be seen are drawn')
    t.ok(full < 4 * few)
    t.ok(last < 1.5 * full, 'what lies behind was dropped')
    await page.close()
  })

  t.same(faults, [])
})

async function fill ({ sql }: Dashboard['database'], userId: string, count: number) {
  const now = Date.now()
  await sql`
    insert into jobs.jobs
      (queue, id, user_id, name, state, created_ms, started_ms, finished_ms, event_ms, event_seq, progress, result)
    select 'default', gen_random_uuid(), ${userId}, 'name' || i % 7, 3, ${now}::bigint - i * 1000, ${now}::bigint - i * 1000,
      ${now}::bigint - i * 1000 + 500, ${now}::bigint - i * 1000, 0, '100', '"done"'::json
    from generate_series(1, ${count}::int) as i`
  await sql`
    insert into jobs.counts (user_id, state, count) values (${userId}, 3, ${count})
    on conflict (user_id, state) do update set count = excluded.count`
}

/** Milliseconds from the navigation until a key moves through rows that are there. */
async function untilUsable (page: Page): Promise<number> {
  return await page.evaluate(() => new Promise<number>(resolve => {
    const look = () => {
      const link = document.querySelector('[data-row-link]')
      if (link) document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }))
      if (link && document.querySelector('[data-current]')) resolve(Math.round(performance.now()))
      else requestAnimationFrame(look)
    }
    look()
  }))
}

/** Each page is asked for as one comes near its end. */
async function scrollToRow (page: Page, row: number) {
  await page.evaluate(async last => {
    const frame = () => new Promise(resolve => { requestAnimationFrame(resolve) })
    const isThere = () => [...document.querySelectorAll('[aria-rowindex]')]
      .some(row => Number(row.getAttribute('aria-rowindex')) >= last)
    while (!isThere()) {
      scrollTo({ top: document.documentElement.scrollHeight })
      await frame()
    }
  }, row + 1)
}

/** Bytes of JavaScript that are in use once garbage is collected. */
async function heapOf (page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize
}

/** The output of the tests leaves out the comments of those that pass. */
function report (text: string) {
  process.stderr.write(`${text}\n`)
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

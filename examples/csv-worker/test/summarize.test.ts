import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@tidings/testing'
import type { TestContext } from '@tidings/testing'
import t from 'tap'
import { findFile } from '../src/find-file.ts'
import { summarize } from '../src/summarize.ts'
import type { CsvFile } from '../src/find-file.ts'

const SAMPLES = fileURLToPath(new URL('../data', import.meta.resolve('vega-datasets')))

t.test('returns statistics of each column', async t => {
  const text = '\uFEFFname,amount,code,note\r\n' +
    '"Müller, Zoë",12.5,007,"two\r\nlines"\r\n' +
    'Smith,"3.5",008,\r\n' +
    '"Müller, Zoë",,007,""\r\n' +
    'O\'Neil,-1,009,"says ""hi"""\r\n'

  const { summary } = await summaryOf(t, text)
  t.same(summary, {
    file: 'sales.csv',
    rows: 4,
    bytes: Buffer.byteLength(text),
    columns: {
      name: {
        type: 'text',
        count: 4,
        nulls: 0,
        distinct: 3,
        capped: false,
        top: [{ value: 'Müller, Zoë', count: 2 }, { value: 'O\'Neil', count: 1 }, { value: 'Smith', count: 1 }]
      },
      amount: {
        type: 'number',
        count: 3,
        nulls: 1,
        distinct: 3,
        capped: false,
        min: -1,
        max: 12.5,
        mean: 5,
        top: [{ value: '-1', count: 1 }, { value: '12.5', count: 1 }, { value: '3.5', count: 1 }]
      },
      code: {
        type: 'text',
        count: 4,
        nulls: 0,
        distinct: 3,
        capped: false,
        top: [{ value: '007', count: 2 }, { value: '008', count: 1 }, { value: '009', count: 1 }]
      },
      note: {
        type: 'text',
        count: 2,
        nulls: 2,
        distinct: 2,
        capped: false,
        top: [{ value: 'says "hi"', count: 1 }, { value: 'two\r\nlines', count: 1 }]
      }
    }
  })
})

t.test('a file with only a header has no rows, an empty file is a fault', async t => {
  const { summary, reported } = await summaryOf(t, 'a,b\n')
  t.equal(summary.rows, 0)
  t.same(Object.keys(summary.columns), ['a', 'b'])
  t.same(reported.at(-1), 100)
  await t.rejects(summaryOf(t, ''), {
    name: 'UnrecoverableError',
    message: 'sales.csv: line 1: expected a header, found an empty file'
  })
})

t.test('a column may have any name', async t => {
  const { summary } = await summaryOf(t, '__proto__,,constructor\n1,2,3\n')
  t.same(Object.keys(summary.columns), ['__proto__', 'column 2', 'constructor'])
  t.match(JSON.parse(JSON.stringify(summary)).columns.constructor, { type: 'number', max: 3 })
})

t.test('zipcodes.csv has the statistics of an independent count', async t => {
  const reported: number[] = []
  const summary = await summarize(await findFile(SAMPLES, 'zipcodes.csv'), {
    signal: new AbortController().signal,
    onProgress: async percent => { reported.push(percent) }
  })

  // This file has no quotes, so that it can be read by two splits.
  const [header = [], ...rows] = readFileSync(join(SAMPLES, 'zipcodes.csv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => line.split(','))
  t.equal(rows.length, 42_049)
  t.equal(summary.rows, 42_049)
  t.equal(summary.bytes, 2_018_388)
  t.same(Object.keys(summary.columns), header)
  for (const [at, name] of header.entries()) {
    const cells = rows.map(row => row[at] ?? '')
    t.match(summary.columns[name], {
      count: cells.filter(cell => cell !== '').length,
      nulls: cells.filter(cell => cell === '').length,
      distinct: new Set(cells).size,
      capped: false
    }, name)
  }

  // Computed once with Python's csv, collections and statistics.
  t.match(summary.columns.zip_code, { type: 'text', distinct: 42_049 })
  t.match(summary.columns.latitude, { type: 'number', min: -7.209975, max: 70.494693, distinct: 33_410 })
  t.ok(Math.abs((summary.columns.latitude?.mean ?? 0) - 38.499218665961145) < 1e-9)
  t.match(summary.columns.longitude, { type: 'number', min: -176.787412, max: 166.410291 })
  t.ok(Math.abs((summary.columns.longitude?.mean ?? 0) - -90.80786936214892) < 1e-9)
  t.same(summary.columns.city?.top.slice(0, 3), [
    { value: 'Washington', count: 300 }, { value: 'Houston', count: 190 }, { value: 'New York', count: 162 }])
  t.same(summary.columns.state?.top.slice(0, 3), [
    { value: 'TX', count: 2_670 }, { value: 'CA', count: 2_666 }, { value: 'NY', count: 2_232 }])

  t.same(reported, Array.from({ length: 100 }, (_, n) => n + 1), 'each percent from 1 to 100 is reported once')
})

t.test('distinct values are exact up to 300,000 over all columns, then capped', async t => {
  const rows = Array.from({ length: 160_000 }, (_, n) => `${n},${n % 10}\n`)
  const { summary } = await summaryOf(t, `id,digit\n${rows.join('')}`)
  t.match(summary.columns.id, { distinct: 150_000, capped: true, min: 0, max: 159_999 })
  t.match(summary.columns.digit, { distinct: 10, capped: false, top: [{ value: '0', count: 16_000 }] })
})

t.test('the result of the widest file stays far below 64 KiB', async t => {
  const header = Array.from({ length: 200 }, (_, n) => `column-${n}-${'ü'.repeat(10)}`).join()
  const numbers = (digit: number) => Array.from({ length: 200 }, (_, n) => `-1.${digit}23456789012345${n}e-100`).join()
  const texts = (letter: string) => Array.from({ length: 200 }, (_, n) => `${n}${letter.repeat(100)}`).join()

  const ofNumbers = await summaryOf(t, [header, ...[1, 2, 3].map(numbers)].join('\n'))
  const ofTexts = await summaryOf(t, [header, ...['🙂', 'ä', 'x'].map(texts)].join('\n'))
  for (const { summary } of [ofNumbers, ofTexts]) {
    t.equal(Object.keys(summary.columns).length, 200)
    t.ok(JSON.stringify(summary).length < 48 * 1024)
    t.ok(Buffer.byteLength(JSON.stringify(summary)) <= 48 * 1024)
  }
})

t.test('reading waits until progress is reported', async t => {
  let reporting = 0
  await summaryOf(t, 'a\n' + '1\n'.repeat(50_000), {
    onProgress: async () => {
      t.equal(++reporting, 1)
      await new Promise(resolve => setImmediate(resolve))
      reporting--
    }
  })
})

t.test('stops when its signal is aborted', async t => {
  const controller = new AbortController()
  const reported: number[] = []
  const summary = summaryOf(t, 'a\n' + '1\n'.repeat(200_000), {
    signal: controller.signal,
    onProgress: async percent => {
      reported.push(percent)
      if (percent >= 20) controller.abort(new Error('enough'))
    }
  })
  await t.rejects(summary, { message: 'enough' })
  t.ok(Number(reported.at(-1)) < 40)
})

async function summaryOf (t: TestContext, text: string, options: Partial<Parameters<typeof summarize>[1]> = {}) {
  const path = join(temporaryFolder(t, 'csv'), 'sales.csv')
  writeFileSync(path, text)
  const file: CsvFile = { name: 'sales.csv', path, bytes: Buffer.byteLength(text) }
  const reported: number[] = []
  const summary = await summarize(file, {
    signal: new AbortController().signal,
    onProgress: async percent => { reported.push(percent) },
    ...options
  })
  return { summary, reported }
}

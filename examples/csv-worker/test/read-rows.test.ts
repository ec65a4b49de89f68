import { chmodSync, existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder, until } from '@tidings/testing'
import type { TestContext } from '@tidings/testing'
import t from 'tap'
import { readRows } from '../src/read-rows.ts'

t.test('reads the CSV of spreadsheets', async t => {
  const cases: Record<string, { text: string | Buffer, rows: string[][] }> = {
    'a plain file': { text: 'a,b\n1,2\n', rows: [['a', 'b'], ['1', '2']] },
    'no line break at the end': { text: 'a,b\n1,2', rows: [['a', 'b'], ['1', '2']] },
    CRLF: { text: 'a,b\r\n1,2\r\n', rows: [['a', 'b'], ['1', '2']] },
    'line breaks of all kinds in one file': { text: 'a\r\n1\n2\r3\r\n', rows: [['a'], ['1'], ['2'], ['3']] },
    'quotes, with commas, quotes and line breaks inside': {
      text: '"a","b"\n"x, ""y""","first\nsecond\r\nthird"\n',
      rows: [['a', 'b'], ['x, "y"', 'first\nsecond\r\nthird']]
    },
    'empty cells, quoted or not': { text: 'a,b,c\n,"",3\n', rows: [['a', 'b', 'c'], ['', '', '3']] },
    'empty lines': { text: '\n\na,b\n\n1,2\n\n\n', rows: [['a', 'b'], ['1', '2']] },
    'a byte order mark': { text: '\uFEFFa,b\n1,2\n', rows: [['a', 'b'], ['1', '2']] },
    'UTF-16 with a byte order mark': {
      text: Buffer.from('\uFEFFa,b\n1,ü\n', 'utf16le'),
      rows: [['a', 'b'], ['1', 'ü']]
    },
    'any script': { text: 'Straße,城市\nÄpfel,🙂\n', rows: [['Straße', '城市'], ['Äpfel', '🙂']] },
    'nothing at all': { text: '', rows: [] },
    'nothing but a byte order mark': { text: '\uFEFF', rows: [] }
  }
  for (const [name, { text, rows }] of Object.entries(cases)) t.same(await cellsOf(t, text), rows, name)
})

t.test('names the line on which a malformed row starts', async t => {
  const quoted = '"one\ntwo\r\nthree",x\n' // three lines, one row
  const cases: Record<string, { text: string, message: string }> = {
    'a short row': { text: 'a,b\n1,2\n3\n4,5\n', message: 'line 3: expected 2 columns, found 1' },
    'a long row': { text: 'a,b\n1,2,3\n', message: 'line 2: expected 2 columns, found 3' },
    'after a cell of several lines': {
      text: `a,b\n${quoted}${quoted}1\n`,
      message: 'line 8: expected 2 columns, found 1'
    },
    'after empty lines': { text: '\na,b\n\n\n1\n', message: 'line 5: expected 2 columns, found 1' },
    'with CRLF': { text: 'a,b\r\n\r\n1,2\r\n3\r\n', message: 'line 4: expected 2 columns, found 1' },
    'an open quote': { text: 'a,b\n1,2\n3,"4\n5,6\n7,8\n', message: 'line 3: a quote is opened and never closed' },
    'an open quote after empty lines': {
      text: 'a,b\n1,2\n\n\n3,"4\n',
      message: 'line 5: a quote is opened and never closed'
    },
    'text after a quote': { text: 'a,b\n"1"x,2\n', message: 'line 2: text follows a closing quote' },
    'a quote within a cell': {
      text: 'a,b\n1"x",2\n',
      message: 'line 2: a quote inside a cell that does not begin with one'
    },
    'a NUL byte': { text: 'a,b\n1,\0\n', message: 'line 2: a NUL byte: this is not a text file' },
    'two columns of one name': { text: 'a,b,a\n', message: 'line 1: two columns are called "a"' },
    'a nameless column called as another': {
      text: 'column 2,\n',
      message: 'line 1: two columns are called "column 2"'
    },
    'too many columns': { text: 'x,'.repeat(200), message: 'line 1: more than 200 columns' },
    'too many columns, quoted': {
      text: Array.from({ length: 300 }, (_, n) => `"${n}"`).join() + '\n',
      message: 'line 1: more than 200 columns'
    },
    'far too many columns': { text: ','.repeat(3_000_000), message: 'line 1: more than 200 columns' },
    'long names': { text: `${'x'.repeat(8_200)},b\n`, message: 'line 1: the names of the columns are too long' },
    'an endless row': {
      text: `a,b\n1,"${'x'.repeat(1_100_000)}\n1,2\n`,
      message: 'line 2: a row of more than 1048576 bytes (a quote that is never closed?)'
    }
  }
  for (const [name, { text, message }] of Object.entries(cases)) {
    await t.rejects(cellsOf(t, text), { name: 'UnrecoverableError', message: `sales.csv: ${message}` }, name)
  }
})

t.test('the rows before a malformed one do not depend on the chunks of the file', async t => {
  const text = `a,b\r\n${'"x\r\ny",🙂\r\n'.repeat(4_000)}1\r\n`
  await t.rejects(cellsOf(t, text), { message: 'sales.csv: line 8002: expected 2 columns, found 1' })
  t.equal((await cellsOf(t, text.slice(0, -'1\r\n'.length))).length, 4_001)
})

t.test('reports how many bytes are read, up to the last one', async t => {
  const file = fileOf(t, 'a,b\n' + '1,2\n'.repeat(20_000))
  let last = 0
  for await (const { bytesRead } of readRows(file)) {
    if (bytesRead < last) t.fail(`${bytesRead} after ${last}`)
    last = bytesRead
  }
  t.equal(last, file.bytes)
})

t.test('closes the file when its reader stops early', {
  skip: !existsSync('/proc/self/fd') &&
  'no list of open files'
}, async t => {
  const file = fileOf(t, 'a,b\n' + '1,2\n'.repeat(20_000))
  const rows = readRows(file)
  await rows.next()
  t.ok(isOpen(file.path))
  await rows.return()
  await until(() => !isOpen(file.path))
})

t.test('a file that has disappeared is reported by its name', async t => {
  const file = fileOf(t, 'a\n')
  rmSync(file.path)
  await t.rejects(readAll(file), { name: 'UnrecoverableError', message: 'sales.csv: no such file' })
})

t.test('a file without read permission is reported by its name', {
  skip: process.getuid?.() === 0 &&
  'root may read it'
}, async t => {
  const file = fileOf(t, 'a\n')
  chmodSync(file.path, 0)
  await t.rejects(readAll(file), { name: 'UnrecoverableError', message: 'sales.csv: may not be read by this worker' })
})

function fileOf (t: TestContext, text: string | Buffer) {
  const path = join(temporaryFolder(t, 'csv'), 'sales.csv')
  writeFileSync(path, text)
  return { name: 'sales.csv', path, bytes: Buffer.byteLength(text) }
}

function cellsOf (t: TestContext, text: string | Buffer) {
  return readAll(fileOf(t, text))
}

async function readAll (file: ReturnType<typeof fileOf>) {
  const rows = await Array.fromAsync(readRows(file))
  return rows.map(row => row.cells)
}

function isOpen (path: string) {
  return readdirSync('/proc/self/fd').some(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false // closed since the folder was read
    }
  })
}

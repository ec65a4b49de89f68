import { UnrecoverableError } from 'bullmq'
import { Column } from './column.ts'
import type { ColumnSummary } from './column.ts'
import type { CsvFile } from './find-file.ts'
import { readRows } from './read-rows.ts'
import { columnNames } from './row-check.ts'

// A file's columns share these: 50,000 different values each for six columns. At worst a job takes 200 MB (measured on
// 154 MB of nothing but different values, garbage of the parser included).
const MAX_VALUES = 300_000
const MAX_CHARACTERS = 16 * 1024 * 1024

// A job's result travels to its user; what is too large for that is told in part only (Tidings: 64 KiB).
const MAX_RESULT_BYTES = 48 * 1024
const MAX_TOP = 10

export interface Summary {
  file: string
  rows: number
  bytes: number
  columns: Record<string, ColumnSummary>
}

interface Options {
  signal: AbortSignal
  /** Told each whole percentage of the file's bytes once, in order, 100 at the end; awaited before reading on. */
  onProgress: (percent: number) => Promise<void>
}

/** Reads a CSV file once, in bounded memory, and says what is in its columns. */
export async function summarize (file: CsvFile, { signal, onProgress }: Options): Promise<Summary> {
  let names: string[] = []
  let columns: Column[] = []
  let rows = -1 // the header is not one
  let told = 0

  const tell = async (percent: number) => {
    if (percent <= told) return
    told = percent
    await onProgress(percent)
  }

  for await (const { cells, bytesRead } of readRows(file)) {
    signal.throwIfAborted()
    rows++
    if (rows === 0) {
      names = columnNames(cells)
      columns = names.map(() => new Column(share(names.length)))
    } else {
      columns.forEach((column, at) => column.add(cells[at] ?? ''))
    }
    // Not beyond 99: a file may grow while it is read, and 100 means done.
    await tell(Math.min(99, Math.floor(100 * bytesRead / file.bytes)))
  }

  if (rows < 0) throw new UnrecoverableError(`${file.name}: line 1: expected a header, found an empty file`)
  await tell(100)
  return result(file, { rows, names, columns })
}

function share (columns: number) {
  return { values: Math.floor(MAX_VALUES / columns), characters: Math.floor(MAX_CHARACTERS / columns) }
}

/** The result, with the longest lists of top values that keep it within its bound. */
function result (file: CsvFile, { rows, names, columns }: { rows: number, names: string[], columns: Column[] }) {
  const full = columns.map(column => column.summary(MAX_TOP))

  for (let length = MAX_TOP; ; length--) {
    const entries = full.map((column, at) => [names[at], { ...column, top: column.top.slice(0, length) }])
    const summary: Summary = { file: file.name, rows, bytes: file.bytes, columns: Object.fromEntries(entries) }
    if (length === 0 || Buffer.byteLength(JSON.stringify(summary)) <= MAX_RESULT_BYTES) return summary
  }
}

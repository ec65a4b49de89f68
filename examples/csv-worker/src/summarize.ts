import { UnrecoverableError } from 'bullmq'
import { Column } from './column.ts'
import type { ColumnSummary } from './column.ts'
import type { CsvFile } from './find-file.ts'
import { readRows } from './read-rows.ts'
import { columnNames } from './row-check.ts'

// The columns of a file share these: 50,000 distinct values each for six columns. At worst a job needs 200 MB (measured
// on 154 MB of distinct values only, garbage of the parser included).
const MAX_VALUES = 300_000
const MAX_CHARACTERS = 16 * 1024 * 1024

// The result of a job is sent to its user; larger results are truncated (Tidings: 64 KiB).
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
  /** Called once for each whole percentage of the file's bytes, in order, 100 at the end; reading waits for it. */
  onProgress: (percent: number) => Promise<void>
}

/** Reads a CSV file once, in bounded memory, and returns statistics of its columns. */
export async function summarize (file: CsvFile, { signal, onProgress }: Options): Promise<Summary> {
  let names: string[] = []
  let columns: Column[] = []
  let rows = -1 // without the header
  let reported = 0

  const report = async (percent: number) => {
    if (percent <= reported) return
    reported = percent
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
    // At most 99: a file may grow while it is read, and 100 means done.
    await report(Math.min(99, Math.floor(100 * bytesRead / file.bytes)))
  }

  if (rows < 0) throw new UnrecoverableError(`${file.name}: line 1: expected a header, found an empty file`)
  await report(100)
  return result(file, { rows, names, columns })
}

function share (columns: number) {
  return { values: Math.floor(MAX_VALUES / columns), characters: Math.floor(MAX_CHARACTERS / columns) }
}

/** Returns the result, with the longest lists of top values that fit into its size limit. */
function result (file: CsvFile, { rows, names, columns }: { rows: number, names: string[], columns: Column[] }) {
  const full = columns.map(column => column.summary(MAX_TOP))

  for (let length = MAX_TOP; ; length--) {
    const entries = full.map((column, at) => [names[at], { ...column, top: column.top.slice(0, length) }])
    const summary: Summary = { file: file.name, rows, bytes: file.bytes, columns: Object.fromEntries(entries) }
    if (length === 0 || Buffer.byteLength(JSON.stringify(summary)) <= MAX_RESULT_BYTES) return summary
  }
}

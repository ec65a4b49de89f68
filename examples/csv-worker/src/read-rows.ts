import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { UnrecoverableError } from 'bullmq'
import { MAX_COLUMNS, rowCheck } from './row-check.ts'
import type { CsvFile } from './find-file.ts'
import { unreadable } from './unreadable.ts'

const MAX_ROW_BYTES = 1024 * 1024

// Small enough to report a 2 MB file percent by percent.
const CHUNK_BYTES = 16 * 1024

export interface Row {
  cells: string[]
  /** Bytes of the file that are parsed so far. */
  bytesRead: number
}

/**
 * Streams the rows of a CSV file (RFC 4180; UTF-8, or UTF-16LE with a byte order mark), its header first.
 * Holds one chunk and one row at a time, both bounded. A malformed row throws "<name>: line <n>: <what is wrong>".
 */
export async function * readRows (file: CsvFile): AsyncGenerator<Row, void, void> {
  const check = rowCheck(file.name)
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
    // rowCheck checks lengths, since it knows the line. After the last permitted column commas are text, so that a line
    // of nothing but commas is bounded as well.
    relax_column_count: true,
    ignore_last_delimiters: MAX_COLUMNS + 1,
    // Called by the parser row by row, so that rows count even when a later one of the same chunk fails.
    on_record: check.row
  })

  // An error of either stream ends both, and the loop below throws it.
  pipeline(createReadStream(file.path, { highWaterMark: CHUNK_BYTES }), parser, () => {})
  try {
    for await (const cells of parser) yield { cells, bytesRead: parser.info.bytes }
  } catch (error) {
    throw explain(error as Error, file.name, check.lineOf(parser.info))
  }
}

function explain (error: Error, name: string, line: number) {
  if (error instanceof CsvError) return new UnrecoverableError(`${name}: line ${line}: ${whatIsWrong(error)}`)
  if (error instanceof UnrecoverableError) return error
  return unreadable(name, error)
}

function whatIsWrong (error: CsvError) {
  if (Number(error.index) >= MAX_COLUMNS) return `more than ${MAX_COLUMNS} columns`
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED': return 'a quote is opened and never closed'
    case 'CSV_INVALID_CLOSING_QUOTE': return 'text follows a closing quote'
    case 'INVALID_OPENING_QUOTE': return 'a quote inside a cell that does not begin with one'
    case 'CSV_MAX_RECORD_SIZE': return `a row of more than ${MAX_ROW_BYTES} bytes (a quote that is never closed?)`
    default: return error.message
  }
}

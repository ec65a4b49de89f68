import type { Info } from 'csv-parse'
import { UnrecoverableError } from 'bullmq'

export const MAX_COLUMNS = 200

// All names together, as JSON: they are part of the job's result, which must stay small.
const MAX_HEADER_BYTES = 8 * 1024

/**
 * Checks the rows of one file in order, the header first, and knows the line on which each starts.
 * (csv-parse counts lines too, but reports where a row ends, and counts CRLF inside quotes as two lines.)
 */
export function rowCheck (name: string) {
  let columns: number | undefined
  let linesOfRows = 0

  /** The line on which the next row starts, after the rows checked so far and these empty lines. */
  const lineOf = ({ empty_lines: emptyLines }: Pick<Info, 'empty_lines'>) => 1 + emptyLines + linesOfRows

  const whatIsWrong = (cells: string[]) => {
    if (cells.some(cell => cell.includes('\0'))) return 'a NUL byte: this is not a text file'
    if (columns === undefined) return whatIsWrongWithHeader(cells)
    if (cells.length !== columns) return `expected ${columns} columns, found ${cells.length}`
  }

  /** Returns the row, or throws an error that describes its fault. */
  const row = (cells: string[], info: Info) => {
    const fault = whatIsWrong(cells)
    if (fault) throw new UnrecoverableError(`${name}: line ${lineOf(info)}: ${fault}`)
    columns ??= cells.length
    linesOfRows += 1 + lineBreaks(cells)
    return cells
  }

  return { row, lineOf }
}

/** The names of a header; a column without a name is named after its position. */
export function columnNames (header: string[]) {
  return header.map((name, at) => name || `column ${at + 1}`)
}

function whatIsWrongWithHeader (header: string[]) {
  if (header.length > MAX_COLUMNS) return `more than ${MAX_COLUMNS} columns`
  const names = columnNames(header)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `two columns are called ${JSON.stringify(twice.slice(0, 100))}`
  if (Buffer.byteLength(JSON.stringify(names)) > MAX_HEADER_BYTES) return 'the names of the columns are too long'
}

function lineBreaks (cells: string[]) {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0)
}

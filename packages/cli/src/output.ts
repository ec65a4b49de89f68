import { styleText } from 'node:util'
import { TidingsError } from 'tidings'
import { Exit } from './failure.ts'
import { codePoints, printable, shortened } from './text.ts'

const lengthOf = (text: string) => codePoints(text).length

type Format = Parameters<typeof styleText>[0]

export interface Column<Row> {
  title: string
  text: (row: Row) => string
  format?: (row: Row) => Format | undefined
  /** The longest that is shown, in characters. */
  width?: number
}

/** What a command prints: text for people, or a line of JSON for each value, for programs. */
export class Output {
  readonly json: boolean
  /** Whether lines may be drawn over. */
  readonly isLive: boolean
  readonly #hasColor: boolean

  constructor (json: boolean, { isTTY = false }: { isTTY?: boolean } = process.stdout) {
    this.json = json
    this.isLive = isTTY && !json && process.env.TERM !== 'dumb'
    this.#hasColor = this.isLive && !process.env.NO_COLOR
  }

  style (format: Format | undefined, text: string): string {
    return format !== undefined && this.#hasColor ? styleText(format, text) : text
  }

  line (text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** A value: as JSON, or as `text` says it. */
  value (value: unknown, text: () => string): void {
    this.line(this.json ? JSON.stringify(value) ?? 'null' : text())
  }

  /** For people, beside what is printed; a program does not get it. */
  note (text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`)
  }

  /** Rows under their titles, or a line of JSON for each. */
  table<Row> (rows: readonly Row[], columns: Column<Row>[], empty: string): void {
    if (rows.length === 0) return this.json ? undefined : this.note(empty)
    const print = this.rows(columns, rows)
    for (const row of rows) print(row)
  }

  /** Prints titles, and then each row that it gets. Columns have room for these rows, and grow with wider ones. */
  rows<Row> (columns: Column<Row>[], expected: readonly Row[]): (row: Row) => void {
    if (this.json) return row => this.line(JSON.stringify(row))
    const cellsOf = (row: Row) => columns.map(({ text, width = 60 }) => shortened(printable(text(row)), width))
    const widths = columns.map(({ title }) => title.length)
    const grow = (cells: string[]) => {
      for (const [n, cell] of cells.entries()) widths[n] = Math.max(widths[n] ?? 0, lengthOf(cell))
    }
    const pad = (text: string, n: number) =>
      n === columns.length - 1 ? text : text + ' '.repeat((widths[n] ?? 0) - lengthOf(text))
    for (const row of expected) grow(cellsOf(row))
    this.line(this.style('dim', columns.map(({ title }, n) => pad(title, n)).join('  ')))
    return row => {
      const cells = cellsOf(row)
      grow(cells)
      this.line(cells.map((cell, n) => this.style(columns[n]?.format?.(row), pad(cell, n))).join('  '))
    }
  }

  /** Why the command ends. Problems of the input are listed, each with its path. */
  error (err: unknown): void {
    if (err instanceof Exit) return
    const { code, status, problem } = err instanceof TidingsError ? err : {} as Partial<TidingsError>
    const message = messageOf(err)
    if (this.json) {
      process.stderr.write(`${JSON.stringify({ error: { code: code ?? 'error', message, status, problem } })}\n`)
      return
    }
    const faults = problem?.errors?.map(({ path, message }) => `  ${path}: ${message}`) ?? []
    const instance = problem?.instance ? [`  request ${problem.instance}`] : []
    process.stderr.write(`${[`error: ${message}`, ...faults, ...instance].map(printable).join('\n')}\n`)
  }
}

/** With the reason of the system, where there was no response: refused, unknown host, certificate. */
function messageOf (err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  const { cause } = err
  const reason = cause instanceof Error ? cause.cause instanceof Error ? cause.cause : cause : undefined
  return reason && reason.message !== err.message ? `${err.message}: ${reason.message}` : err.message
}

/** The first items of a list, whatever its pages. */
export async function firstOf<Item> (items: AsyncIterable<Item>, limit: number): Promise<Item[]> {
  const first: Item[] = []
  if (limit <= 0) return first
  for await (const item of items) {
    first.push(item)
    if (first.length >= limit) break
  }
  return first
}

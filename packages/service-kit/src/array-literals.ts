// Values as the text of a Postgres array, for `unnest(${numberArray(ids)}::bigint[])`. postgres.js can encode arrays
// too, but quotes each number and searches each value twice for characters to escape: with the columns of a delivery
// that was 3 µs a row, and Postgres had to remove the quotes again.

/** Separates JSON documents: a document contains no bare control character (RFC 8259 §7). Postgres' chr(30). */
const RECORD_SEPARATOR = '\x1e'

const ESCAPED = /["\\]/
const ALL_ESCAPED = /["\\]/g

/** Numbers as the literal of an array of any numeric type; null and undefined become NULL. */
export function numberArray (values: readonly Nullable<number>[]): string {
  return literal(values, numeral)
}

/** Texts as the literal of a `text[]`; null and undefined become NULL. */
export function textArray (values: readonly Nullable<string>[]): string {
  return literal(values, quoted)
}

/** Booleans as the literal of a `boolean[]`; postgres.js encodes an array of them as a single boolean. */
export function booleanArray (values: readonly boolean[]): string {
  return `{${values.join(',')}}`
}

/**
 * JSON documents for `string_to_array(${joinedJson(bodies)}, chr(30), '')`: in an array literal each of their quotes
 * would be escaped. A missing document becomes NULL.
 */
export function joinedJson (documents: readonly Nullable<string>[]): string {
  return documents.map(document => document ?? '').join(RECORD_SEPARATOR)
}

/** Encoders of the columns of rows, by name: `numbers('status')`. */
export function pgColumns<Row extends object> (rows: readonly Row[]) {
  return {
    numbers: (name: NamesOf<Row, Nullable<number>>) => literal(rows, row => numeral(row[name] as Nullable<number>)),
    texts: (name: NamesOf<Row, Nullable<string>>) => literal(rows, row => quoted(row[name] as Nullable<string>)),
    json: (name: NamesOf<Row, Nullable<string>>) => joinedJson(rows.map(row => row[name] as Nullable<string>))
  }
}

type Nullable<Value> = Value | null | undefined
type NamesOf<Row, Value> = { [Name in keyof Row]: Row[Name] extends Value ? Name : never }[keyof Row]

function literal<Item> (items: readonly Item[], elementOf: (item: Item) => string | number): string {
  let text = '{'
  let isFirst = true
  for (const item of items) {
    text += isFirst ? elementOf(item) : `,${elementOf(item)}`
    isFirst = false
  }
  return `${text}}`
}

function numeral (value: Nullable<number>): string | number {
  return value ?? 'null'
}

function quoted (value: Nullable<string>): string {
  if (value === null || value === undefined) return 'null'
  return `"${ESCAPED.test(value) ? value.replace(ALL_ESCAPED, '\\$&') : value}"`
}

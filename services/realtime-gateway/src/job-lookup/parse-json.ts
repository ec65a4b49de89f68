type Source = { source: string }
type Reviver = (key: string, value: unknown, context: Source) => unknown

/** Digits or an exponent that a double may not represent. Most texts have none, and the reviver is expensive. */
const MAY_BE_INEXACT = /\d{16}|\d\.\d{15}|\d[eE]|-0/

/** Parses JSON. A number that a double cannot represent exactly keeps its text when it is serialized again. */
export function parseJson (text: string): unknown {
  if (!MAY_BE_INEXACT.test(text)) return JSON.parse(text)
  return (JSON.parse as (text: string, reviver: Reviver) => unknown)(text, keepNumber)
}

function keepNumber (_key: string, value: unknown, { source }: Source): unknown {
  return typeof value === 'number' && JSON.stringify(value) !== source ? rawJson(source) : value
}

// Not in TypeScript's library yet (ES2026); in Node since 21.
const rawJson = (text: string) => (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(text)

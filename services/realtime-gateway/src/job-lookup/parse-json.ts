type Source = { source: string }
type Reviver = (key: string, value: unknown, context: Source) => unknown

/** Digits or an exponent that a double may not hold. Most texts have none, and the reviver costs. */
const MAY_BE_INEXACT = /\d{16}|\d\.\d{15}|\d[eE]|-0/

/** Parses JSON; a number that would not come out as it went in stays the text that it was when it is written again. */
export function parseJson (text: string): unknown {
  if (!MAY_BE_INEXACT.test(text)) return JSON.parse(text)
  return (JSON.parse as (text: string, reviver: Reviver) => unknown)(text, keepNumber)
}

function keepNumber (_key: string, value: unknown, { source }: Source): unknown {
  return typeof value === 'number' && JSON.stringify(value) !== source ? rawJson(source) : value
}

// Not in TypeScript's library yet (ES2026); Node has it since 21.
const rawJson = (text: string) => (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(text)

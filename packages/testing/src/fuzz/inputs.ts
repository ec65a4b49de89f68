import fc from 'fast-check'

const JUNK = [
  '', ' ', '\0', '\ud800', '{', '}', '[', ']', '"', '\\', ',', ':', '%', '-', '+', '.', '/', '@', '\n', '\r\n',
  '0', '9'.repeat(20), '1e999', '__proto__', 'constructor', 'toString', 'null', 'NaN', '\u202e', '😀', 'x'.repeat(2000)
]
const junk = fc.constantFrom(...JUNK)

/** Any text, and mostly texts that differ a little from these: characters left out, doubled, or junk among them. */
export function near (...samples: string[]): fc.Arbitrary<string> {
  const changed = fc.tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(), fc.nat(3), junk), { maxLength: 3 }))
    .map(([sample, changes]) => changes.reduce((text, [where, length, insert]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + insert + text.slice(at + length)
    }, sample))
  return fc.oneof({ weight: 5, arbitrary: changed }, fc.string({ unit: 'binary', maxLength: 60 }), junk)
}

/** JSON values with hostile keys and numbers. */
export const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })

/** A JSON object with some of these fields, each with a value of its own kind or any other. */
export function record (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(fields)
  const values = Object.fromEntries(
    names.map(name => [name, fc.oneof({ weight: 6, arbitrary: fields[name] as fc.Arbitrary<unknown> }, json)])
  )
  return fc.record(values, { requiredKeys: [] })
}

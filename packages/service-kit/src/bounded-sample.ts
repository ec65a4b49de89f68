/** Values of an invalid input that are examined for faults; finding them costs a few microseconds each. */
const MAX_VALUES = 20_000
/** Items of one list, and unknown fields of one object. */
const MAX_ITEMS = 1001
/** No schema of the services names a field below this depth. */
const MAX_DEPTH = 5

/**
 * The part of an invalid input that is searched for faults: a copy of at most 20,000 values. A check is cheap, but to
 * name the faults the validator walks through everything, which takes seconds for a body of 8 MB. Fields that the
 * schema names are always kept, so an existing field is never reported as missing.
 */
export function boundedSample (input: unknown, knownNames: ReadonlySet<string>): unknown {
  let left = MAX_VALUES

  function copy (value: unknown, depth: number): unknown {
    left--
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
    return Array.isArray(value) ? value.slice(0, room()).map(item => copy(item, depth + 1)) : copyFields(value, depth)
  }

  function copyFields (value: object, depth: number): object {
    const names = Object.keys(value)
    const known = names.filter(name => knownNames.has(name))
    const others = names.length > known.length ? names.filter(name => !knownNames.has(name)).slice(0, room()) : []
    return Object.fromEntries(
      [...known, ...others].map(name => [name, copy((value as Record<string, unknown>)[name], depth + 1)])
    )
  }

  function room (): number {
    return Math.max(1, Math.min(MAX_ITEMS, left))
  }

  return copy(input, 0)
}

/** Every field name that a schema mentions, at any depth. */
export function namesIn (schema: unknown, names = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return names
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value as object)) names.add(name)
    namesIn(value, names)
  }
  return names
}

import fc from 'fast-check'
import type { JsonSchema, Operation, Parameter } from './document.ts'

/** Texts that have broken something somewhere. */
const nasty = fc.constantFrom(
  '', ' ', '\u0000', 'a\u0000b', '\ud800', '\u202e', '💥', '..', '../x', '%', '%00', '%zz', '*', '"', '\'', '\\', ';--',
  '{}', '[]', 'null', 'true', 'NaN',
  '-1', '0', '1e309', '99999999999999999999', '__proto__', 'constructor',
  'a'.repeat(5000), '\r\n', '\t', '1-1', '0-0', '9999999999999-0', 'W/"', ','
)
const anything = fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.jsonValue(), fc.double(), fc.bigInt().map(String))

/** Only what a header can hold. */
const headerText = fc.stringMatching(/^[\u0020-\u007e]*$/)

export type Request = { method: Operation['method'], url: string, headers: Record<string, string>, payload?: string }

type Arbitraries = Record<string, fc.Arbitrary<unknown>>

/** What the schemas of the document cannot know about the service under test. */
export type Known = {
  authorization: string
  /** By name of a parameter or a field: what the service takes, where the schema takes more. */
  good: Arbitraries
  /** By name of a parameter: what to ask instead of just anything. */
  bad?: Arbitraries
}

type Manner = {
  offer: (schema: JsonSchema) => fc.Arbitrary<unknown>
  isGood: boolean
  known: Known
}

/** Requests of an operation, good and bad by halves. */
export function requests (operation: Operation, known: Known): fc.Arbitrary<Request> {
  return fc.oneof(
    requestsOf(operation, { offer: schema => valid(schema, known.good), isGood: true, known }),
    requestsOf(operation, { offer: schema => offered(schema, known.good), isGood: false, known })
  )
}

/** A value that the schema takes. */
function valid (schema: JsonSchema, good: Arbitraries): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(one => valid(one, good)))
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map(type => valid({ ...schema, type }, good)))
  switch (schema.type) {
    case 'integer': return fc.integer({
      min: schema.minimum ?? -1000,
      max: Math.min(schema.maximum ?? 1000, Number.MAX_SAFE_INTEGER)
    })
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    case 'string': return validText(schema)
    case 'array': return fc.array(valid(schema.items ?? {}, good), { minLength: schema.minItems ?? 0, maxLength: 5 })
    case 'object': return validObject(schema, good)
    default: return fc.jsonValue()
  }
}

function validText ({ pattern, format, minLength = 0, maxLength = 100 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'url') return fc.webUrl()
  if (format === 'date-time') {
    return fc
      .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
      .map(date => date.toISOString())
  }
  const text = pattern ? fc.stringMatching(new RegExp(pattern)) : fc.string({ unit: 'binary' })
  return text.filter(({ length }) => length >= minLength && length <= maxLength)
}

function validObject (
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  good: Arbitraries
): fc.Arbitrary<unknown> {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, good[name] ?? valid(schema, good)])),
    { requiredKeys: required }
  )
  if (typeof additionalProperties !== 'object') return known
  return fc.dictionary(fc.string({ unit: 'binary' }), valid(additionalProperties, good), { maxKeys: 5 })
}

/** Mostly what the schema takes, else something else, in a place or as a whole. */
function offered (schema: JsonSchema, good: Arbitraries): fc.Arbitrary<unknown> {
  const { properties } = schema
  const spoiled = properties
    ? fc.record(Object.fromEntries([...Object.keys(properties), 'unknown'].map(name => [
      name,
      fc.oneof(valid(properties[name] ?? {}, good), anything)
    ])), { requiredKeys: [] })
    : anything
  return fc.oneof({ weight: 3, arbitrary: valid(schema, good) }, { weight: 2, arbitrary: spoiled }, {
    weight: 1,
    arbitrary: anything
  })
}

function requestsOf ({ method, path, parameters, body }: Operation, manner: Manner): fc.Arbitrary<Request> {
  const { offer, isGood, known: { authorization } } = manner
  const given = (place: Parameter['in']) => fc.record(
    Object.fromEntries(parameters
      .filter(parameter => parameter.in === place)
      .map(parameter => [parameter.name, parameterOf(parameter, manner)])),
    place === 'path' ? {} : { requiredKeys: [] }
  ) as fc.Arbitrary<Record<string, unknown>>

  return fc.record({
    path: given('path'),
    query: given('query'),
    headers: given('header'),
    authorization: isGood
      ? fc.constant(authorization)
      : fc.oneof({ weight: 9, arbitrary: fc.constant(authorization) }, { weight: 1, arbitrary: headerText }),
    payload: body
      ? fc.oneof({ weight: 9, arbitrary: offer(body).map(value => JSON.stringify(value) ?? '') }, {
        weight: isGood ? 0 : 1,
        arbitrary: nasty
      })
      : fc.constant(undefined)
  }).map(one => ({
    method,
    url: urlOf(path, one.path, one.query),
    headers: {
      ...stringified(one.headers),
      authorization: one.authorization,
      ...(one.payload !== undefined && { 'content-type': 'application/json' })
    },
    ...(one.payload !== undefined && { payload: one.payload })
  }))
}

function parameterOf (
  { name, in: place, schema }: Parameter,
  { offer, isGood, known: { good, bad = {} } }: Manner
): fc.Arbitrary<unknown> {
  const known = good[name]
  if (place === 'header') {
    return fc
      .oneof(known ?? valid(schema, good), headerText)
      .map(value => String(value).replace(/[^\u0020-\u007e]/g, '?'))
  }
  if (isGood) return known ?? offer(schema)
  return bad[name] ?? (known ? fc.oneof(known, offer(schema)) : offer(schema))
}

function urlOf (path: string, parts: Record<string, unknown>, query: Record<string, unknown>): string {
  // without it, it is another route
  const filled = path.replace(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(segment(textOf(parts[name]))))
  const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(listed(value))}`).join('&')
  return search ? `${filled}?${search}` : filled
}

/** A list in a query is separated by commas. */
function listed (value: unknown): string {
  return Array.isArray(value) ? value.map(textOf).join(',') : textOf(value)
}

function textOf (value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value) ?? '').toWellFormed()
}

function stringified (headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Every URL parser takes `.` and `..` out of a path: the request would be one of another route. */
function segment (text: string): string {
  return /^\.{0,2}$/.test(text) ? `${text} ` : text
}

import fc from 'fast-check'
import { formatCursor } from '../../src/read/cursor.ts'
import type { JsonSchema, Operation, Parameter } from './document.ts'

/** Texts that have broken something somewhere. */
const nasty = fc.constantFrom(
  '', ' ', '\u0000', 'a\u0000b', '\ud800', '\u202e', '💥', '..', '../x', '%', '%00', '%zz', '*', '"', '\'', '\\', ';--', '{}', '[]', 'null', 'true', 'NaN',
  '-1', '0', '1e309', '99999999999999999999', '__proto__', 'constructor', 'a'.repeat(5000), '\r\n', '\t', '1-1', '0-0', '9999999999999-0', 'W/"', ','
)
const anything = fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.jsonValue(), fc.double(), fc.bigInt().map(String))

/** Where the document's schema takes more than the service of the test does. */
const GOOD: Record<string, fc.Arbitrary<unknown>> = {
  queue: fc.constant('default'),
  cursor: fc.constant(formatCursor({ createdMs: 1_640_995_200_005, n: 5, page: 2 })),
  // Any other event is one of the future, or has to be waited for.
  after: fc.constant('0-1'),
  wait: fc.constant(1)
}

/** A value that the schema takes. */
export function valid (schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valid))
  switch (schema.type) {
    case 'integer': return fc.integer({ min: schema.minimum ?? -1000, max: Math.min(schema.maximum ?? 1000, Number.MAX_SAFE_INTEGER) })
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    case 'string': return validText(schema)
    case 'array': return fc.array(valid(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 5 })
    case 'object': return validObject(schema)
    default: return fc.jsonValue()
  }
}

function validText ({ pattern, format, minLength = 0, maxLength = 100 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'url') return fc.webUrl()
  const text = pattern ? fc.stringMatching(new RegExp(pattern)) : fc.string({ unit: 'binary' })
  return text.filter(({ length }) => length >= minLength && length <= maxLength)
}

function validObject ({ properties = {}, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  const known = fc.record(Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, GOOD[name] ?? valid(schema)])), { requiredKeys: required })
  if (typeof additionalProperties !== 'object') return known
  return fc.dictionary(fc.string({ unit: 'binary' }), valid(additionalProperties), { maxKeys: 5 })
}

/** Mostly what the schema takes, else something else, in a place or as a whole. */
function offered (schema: JsonSchema): fc.Arbitrary<unknown> {
  const { properties } = schema
  const spoiled = properties
    ? fc.record(Object.fromEntries([...Object.keys(properties), 'unknown'].map(name => [name, fc.oneof(valid(properties[name] ?? {}), anything)])), { requiredKeys: [] })
    : anything
  return fc.oneof({ weight: 3, arbitrary: valid(schema) }, { weight: 2, arbitrary: spoiled }, { weight: 1, arbitrary: anything })
}

export type Request = { method: Operation['method'], url: string, headers: Record<string, string>, payload?: string }

type Known = {
  /** Ids of jobs that are there. */
  jobIds: string[]
  authorization: string
}

/** Requests of an operation, good and bad by halves. */
export function requests (operation: Operation, known: Known): fc.Arbitrary<Request> {
  return fc.oneof(requestsOf(operation, known, valid), requestsOf(operation, known, offered))
}

type Offer = (schema: JsonSchema) => fc.Arbitrary<unknown>

function requestsOf ({ method, path, parameters, body }: Operation, { jobIds, authorization }: Known, offer: Offer): fc.Arbitrary<Request> {
  const isGood = offer === valid
  const given = (place: Parameter['in']) => fc.record(
    Object.fromEntries(parameters.filter(parameter => parameter.in === place).map(parameter => [parameter.name, parameterOf(parameter, jobIds, offer)])),
    place === 'path' ? {} : { requiredKeys: [] }
  ) as fc.Arbitrary<Record<string, unknown>>

  return fc.record({
    path: given('path'),
    query: given('query'),
    headers: given('header'),
    authorization: isGood ? fc.constant(authorization) : fc.oneof({ weight: 9, arbitrary: fc.constant(authorization) }, { weight: 1, arbitrary: headerText }),
    payload: body ? fc.oneof({ weight: 9, arbitrary: offer(body).map(value => JSON.stringify(value) ?? '') }, { weight: isGood ? 0 : 1, arbitrary: nasty }) : fc.constant(undefined)
  }).map(one => ({
    method,
    url: urlOf(path, one.path, one.query),
    headers: { ...stringified(one.headers), authorization: one.authorization, ...(one.payload !== undefined && { 'content-type': 'application/json' }) },
    ...(one.payload !== undefined && { payload: one.payload })
  }))
}

const headerText = fc.stringMatching(/^[\u0020-\u007e]*$/)

function parameterOf ({ name, in: place, schema }: Parameter, jobIds: string[], offer: Offer): fc.Arbitrary<unknown> {
  if (place === 'header') return fc.oneof(valid(schema), headerText).map(value => String(value).replace(/[^\u0020-\u007e]/g, '?'))
  if (offer === valid && GOOD[name]) return GOOD[name]
  // A long poll that is granted takes seconds.
  if (name === 'wait') return fc.constantFrom(0, 31, -1, 'x', '')
  return name === 'jobId' ? fc.oneof(fc.constantFrom(...jobIds), offer(schema)) : offer(schema)
}

function urlOf (path: string, parts: Record<string, unknown>, query: Record<string, unknown>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(textOf(parts[name])))
  const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(textOf(value))}`).join('&')
  return search ? `${filled}?${search}` : filled
}

function textOf (value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value) ?? '').toWellFormed()
}

function stringified (headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

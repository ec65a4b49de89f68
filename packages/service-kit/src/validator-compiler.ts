import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'
import { boundedSample, namesIn } from './bounded-sample.ts'

const INTEGER = /^-?\d+$/

/** Maximum number of faults of one input: one for each job of the largest batch. TypeBox's own maximum is 8. */
const MAX_FAULTS = 1000

Settings.Set({ maxErrors: MAX_FAULTS })

/**
 * Validates with TypeBox. A body is not converted. In a path, a query and headers everything is text: the digits of an
 * integer are parsed there, and nothing else: TypeBox's own conversion makes 1 of `1.9`, 16 of `0x10` and 1000 of
 * `1e3`. A list in a query is split at its commas (`queryList` of contracts), and a fault of an element is one of the
 * list.
 *
 * In the query of a request that only reads, a parameter without a value counts as left out: HTML forms send fields
 * that were not filled in. On other routes it is a fault: what a script left empty must not widen what is changed. Of
 * `userId` it is one everywhere.
 *
 * For an invalid input at most 1,000 faults are reported, found among its first 20,000 values.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = function validatorCompiler (route) {
  const { schema, httpPart, method } = route
  const check = Compile(schema)
  const names = namesIn(schema)
  const integers = httpPart === 'body' ? [] : integersOf(schema)
  const optional = httpPart === 'querystring' && onlyReads(method) ? optionalOf(schema) : []
  const lists = httpPart === 'querystring' ? listsOf(schema) : []
  return value => {
    const filled = optional.length === 0 ? value : withoutEmpty(value as Texts, optional)
    const texts = lists.length === 0 ? filled : withLists(filled as Texts, lists)
    const read = integers.length === 0 ? texts : withIntegers(texts as Texts, integers)
    if (check.Check(read)) return { value: read }
    const faults = faultsOf(check, boundedSample(read, names))
    return { error: lists.length === 0 ? faults : ofLists(faults, lists) }
  }
}

const BEYOND_SAMPLE = {
  keyword: 'sample',
  schemaPath: '#',
  instancePath: '',
  params: {},
  message: 'is not valid, beyond its first 20,000 values'
}

function faultsOf (check: Validator, sample: unknown) {
  const faults = check.Errors(sample)
  return faults.length > 0 ? faults : [BEYOND_SAMPLE]
}

type Texts = Record<string, unknown>

function integersOf (schema: TSchema): string[] {
  const { properties = {} } = schema as { properties?: Record<string, { type?: unknown }> }
  return Object.entries(properties).filter(([, { type }]) => type === 'integer').map(([name]) => name)
}

function onlyReads (method: string | string[] | undefined): boolean {
  return [method].flat().every(one => one === 'GET' || one === 'HEAD')
}

/** Not the one that says whose data the request is about. */
function optionalOf (schema: TSchema): string[] {
  return Object.keys((schema as { properties?: object }).properties ?? {}).filter(name => name !== 'userId')
}

function listsOf (schema: TSchema): string[] {
  const { properties = {} } = schema as { properties?: Record<string, { type?: unknown }> }
  return Object.entries(properties).filter(([, { type }]) => type === 'array').map(([name]) => name)
}

function withLists (texts: Texts, names: string[]): Texts {
  const given = names.filter(name => Object.hasOwn(texts, name))
  if (given.length === 0) return texts
  const read = { ...texts }
  for (const name of given) {
    const items = [texts[name]].flat().flatMap(text => String(text).split(',')).filter(text => text !== '')
    if (items.length > 0) read[name] = items
    else delete read[name]
  }
  return read
}

/** The client wrote one text, which has no positions. */
function ofLists (faults: ReturnType<typeof faultsOf>, names: string[]): ReturnType<typeof faultsOf> {
  const paths = new Set<string>()
  return faults.flatMap(fault => {
    const name = names.find(name => fault.instancePath.startsWith(`/${name}/`))
    if (name === undefined) return [fault]
    if (paths.has(name)) return []
    paths.add(name)
    return [{ ...fault, instancePath: `/${name}` }]
  })
}

function withoutEmpty (texts: Texts, names: string[]): Texts {
  if (!names.some(name => texts[name] === '')) return texts
  return Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== '' || !names.includes(name)))
}

function withIntegers (texts: Texts, names: string[]): Texts {
  const read = { ...texts }
  for (const name of names) {
    const text = read[name]
    if (typeof text === 'string' && INTEGER.test(text)) read[name] = Number(text)
  }
  return read
}

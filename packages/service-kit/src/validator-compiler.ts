import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Settings } from 'typebox/system'

const INTEGER = /^-?\d+$/

/**
 * Faults that are named of one body: five of each job of the largest batch. TypeBox stops at 8, and says of a batch
 * what is wrong with its first few.
 */
const MAX_FAULTS = 5000

Settings.Set({ maxErrors: MAX_FAULTS })

/**
 * Validates by TypeBox. A body is taken as it is. In a path, a query and
 * headers everything is text: there the digits of an integer are read as one,
 * and nothing else is: TypeBox's own conversion makes 1 of `1.9`, 16 of `0x10`
 * and 1000 of `1e3`.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = function validatorCompiler ({ schema, httpPart }) {
  const check = Compile(schema)
  const integers = httpPart === 'body' ? [] : integersOf(schema)
  return value => {
    const read = integers.length === 0 ? value : withIntegers(value as Texts, integers)
    return check.Check(read) ? { value: read } : { error: check.Errors(read) }
  }
}

type Texts = Record<string, unknown>

function integersOf (schema: TSchema): string[] {
  const { properties = {} } = schema as { properties?: Record<string, { type?: unknown }> }
  return Object.entries(properties).filter(([, { type }]) => type === 'integer').map(([name]) => name)
}

function withIntegers (texts: Texts, names: string[]): Texts {
  const read = { ...texts }
  for (const name of names) {
    const text = read[name]
    if (typeof text === 'string' && INTEGER.test(text)) read[name] = Number(text)
  }
  return read
}

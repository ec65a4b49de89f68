import { readFile } from 'node:fs/promises'
import { parseExact } from './exact-json.ts'
import { UsageError } from './failure.ts'

/** In bytes: beyond it no service takes it. */
const MAX_INPUT = 16 * 1024 * 1024

/** The text of a file, or of standard input for `-`. */
export async function readInput (path: string): Promise<string> {
  return (await readInputBytes(path)).toString()
}

export async function readInputBytes (path: string): Promise<Buffer> {
  if (path !== '-') {
    return await readFile(path).catch((err: unknown) => {
      throw new UsageError(`${path} cannot be read: ${(err as Error).message}`)
    })
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_INPUT) throw new UsageError(`Standard input has more than ${MAX_INPUT} bytes`)
  }
  return Buffer.concat(chunks)
}

/** The JSON object of an option: as it stands, `@file`, or `-` for standard input. Numbers stay exact. */
export async function readData (option: string, given: string): Promise<Record<string, unknown>> {
  const isFile = given === '-' || given.startsWith('@')
  const text = isFile ? await readInput(given === '-' ? '-' : given.slice(1)) : given
  let value: unknown
  try {
    value = parseExact(text)
  } catch (err) {
    throw new UsageError(`${option} is not JSON: ${(err as Error).message}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new UsageError(`${option} takes a JSON object`)
}

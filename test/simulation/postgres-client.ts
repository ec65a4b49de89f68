import type { DeliveryPipelineOptions } from '../../services/webhook-dispatcher/src/delivery/pipeline.ts'
import { ConnectionLost, type Connection, type Process, type Simulation } from './simulation.ts'

/** A statement as Postgres gets it, with `$1`, `$2` … for its parameters. */
export class Statement {
  readonly text: string
  readonly #values: unknown[]

  constructor (text: string, values: unknown[]) {
    this.text = text
    this.#values = values
  }

  /** The first group of a pattern, which matches a parameter: `where id = (\$\d+)`. */
  parameter (pattern: RegExp): unknown {
    const name = pattern.exec(this.text)?.[1]
    if (name === undefined) throw new Error(`No parameter ${String(pattern)} in: ${this.text}`)
    return this.#values[Number(name.slice(1)) - 1]
  }

  number (pattern: RegExp): number {
    return Number(this.parameter(pattern))
  }

  /** The columns of `unnest(…)` behind a pattern, in their order, as rows. */
  rows<Name extends string> (pattern: RegExp, names: readonly Name[]): Record<Name, never>[] {
    const start = pattern.exec(this.text)
    if (!start) throw new Error(`No columns ${String(pattern)} in: ${this.text}`)
    const parameters = this.text.slice(start.index + start[0].length).matchAll(/(string_to_array\()?\$(\d+)/g)
    const columns = names.map(name => {
      const [, isJson, at] = parameters.next().value as unknown as [string, string | undefined, string]
      return [name, listOf(this.#values[Number(at) - 1], isJson !== undefined)] as const
    })
    const { length } = columns[0]?.[1] ?? []
    return Array.from({ length }, (_, i) =>
      Object.fromEntries(columns.map(([name, list]) => [name, list[i]])) as Record<Name, never>)
  }
}

/** An array, or the literal of one; JSON documents have record separators between them. */
function listOf (value: unknown, isJson: boolean): unknown[] {
  if (Array.isArray(value)) return value
  return isJson ? String(value).split('\x1e') : JSON.parse(`[${String(value).slice(1, -1)}]`) as unknown[]
}

type RawSql = DeliveryPipelineOptions['sql']

export type Execute = (statement: Statement, connection: Connection) => object[]

type Parts = { strings: readonly string[], values: unknown[] }

/** A query of the services: a fragment of another one, or a statement once it is awaited. */
class Query implements PromiseLike<object[]> {
  readonly parts: Parts
  readonly #send: (statement: Statement) => Promise<object[]>

  constructor (parts: Parts, send: (statement: Statement) => Promise<object[]>) {
    this.parts = parts
    this.#send = send
  }

  // oxlint-disable-next-line unicorn/no-thenable -- as the queries of postgres.js
  then<A, B> (...handlers: Parameters<Promise<object[]>['then']>): Promise<A | B> {
    return this.#send(flatten(this)).then(...handlers) as Promise<A | B>
  }
}

/** The texts of templates with single spaces: a template is the same object each time. */
const texts = new WeakMap<readonly string[], string[]>()

function textsOf (strings: readonly string[]): string[] {
  const known = texts.get(strings) ?? strings.map(string => string.replace(/\s+/g, ' '))
  texts.set(strings, known)
  return known
}

function flatten (query: Query): Statement {
  const values: unknown[] = []
  return new Statement(textOf(query).trim(), values)

  function textOf ({ parts: { strings, values: own } }: Query): string {
    return textsOf(strings).reduce((text, string, i) => text + valueOf(own[i - 1]) + string)
  }

  function valueOf (value: unknown): string {
    if (value instanceof Query) return textOf(value)
    values.push(value)
    return `$${values.length}`
  }
}

const POOL = 3

type PoolOptions = {
  owner: Process
  execute: Execute
  /** A part of a statement that a mutation of the protocol makes a step of its own. */
  executeFirst?: ((statement: Statement) => void) | undefined
  size?: number
  onLost?: (connection: Connection) => void
}

/** The connections of one process, as postgres.js pools them. */
export class PostgresPool {
  readonly sql: RawSql
  readonly #connections: Connection[]
  readonly #simulation: Simulation
  readonly #onLost: () => void
  #isEnded = false

  constructor (simulation: Simulation, options: PoolOptions) {
    const { owner, execute, executeFirst, size = POOL, onLost = () => {} } = options
    this.#simulation = simulation
    this.#connections = Array.from({ length: size }, (_, n) => simulation.connect(owner, `postgres ${n}`))
    this.#onLost = () => { for (const connection of this.#connections) onLost(connection) }
    const send = async (statement: Statement) => {
      if (this.#isEnded) throw new ConnectionLost('The pool has ended')
      const connection = simulation.random.pick(this.#connections)
      if (executeFirst) await connection.call('first part', () => executeFirst(statement))
      return await connection.call(statement.text.slice(0, 90), () => execute(statement, connection))
    }
    const sql = (strings: readonly string[], ...values: unknown[]) => new Query({ strings, values }, send)
    // The effects of an outcome on health and progress are not simulated, so a transaction is its first statement.
    const begin = async <T>(work: (tx: unknown) => Promise<T>): Promise<T> => await work(sql)
    this.sql = Object.assign(sql, { begin, end: async () => { this.#isEnded = true } }) as unknown as RawSql
  }

  /** The network cuts all connections. */
  cut (): void {
    for (const connection of this.#connections) connection.cut(this.#simulation.random)
    this.#onLost()
  }

  /** Postgres notices that the process has ended. */
  lose (): void {
    this.#onLost()
  }
}

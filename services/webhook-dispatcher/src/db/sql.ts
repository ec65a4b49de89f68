import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { ISql } from 'postgres'

/** Runs hand-written statements: `app.sql`, or a transaction of it. */
export type Sql = ISql<{ bigint: number }>

/** Runs drizzle's statements: `app.db`, or a transaction of it. */
export type Database = Pick<PostgresJsDatabase, 'select' | 'insert' | 'update' | 'delete' | 'execute' | 'transaction'>

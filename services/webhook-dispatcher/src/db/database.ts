import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'

/** What a query runs on: the database, or a transaction in it. */
export type Database = Pick<PostgresJsDatabase, 'select' | 'insert' | 'update' | 'delete' | 'execute' | 'transaction'>

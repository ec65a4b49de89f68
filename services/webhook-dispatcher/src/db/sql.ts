import type { ISql } from 'postgres'

/** What a hand-written statement runs on: `app.sql` or a transaction of it. */
export type Sql = ISql<{ bigint: number }>

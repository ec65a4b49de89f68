import postgres from 'postgres'
import type { Sql } from 'postgres'

export interface Role { user: string, password: string }

interface Connection { host: string, port: number, database: string, user: string, password: string | undefined }

export function connectionUrl ({ host, port, database, user, password }: Connection): string {
  const url = new URL('postgres://localhost')
  url.hostname = host.includes(':') ? `[${host}]` : host
  url.port = String(port)
  url.username = user
  url.password = password ?? ''
  url.pathname = database
  return url.href
}

/** Creates the database and the role if they are missing, and sets the password of the role. */
export async function prepareDatabase (
  url: string,
  { database, role }: { database: string, role: Role | undefined }
): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} })
  try {
    if (role !== undefined) await prepareRole(sql, role)
    const found = await sql`select from pg_database where datname = ${database}`
    if (found.length === 0) await sql`create database ${sql(database)}`
    // What an ordinary role needs to make schemas of its own; of earlier data too, whose role was a superuser.
    if (role !== undefined) await sql`alter database ${sql(database)} owner to ${sql(role.user)}`
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function prepareRole (sql: Sql, { user, password }: Role): Promise<void> {
  const found = await sql`select from pg_roles where rolname = ${user}`
  if (found.length === 0) await sql`create role ${sql(user)}`
  // A utility statement takes no parameters, so Postgres itself quotes the password.
  const [statement] = await sql<[{ text: string }]>`select format(
    case when current_user = ${user}::text then 'alter role %I login password %L' else 'alter role %I login nosuperuser password %L' end,
    ${user}::text, ${password}::text
  ) as text`
  await sql.unsafe(statement.text)
}

import type { Sql } from 'postgres'

export async function createTables (sql: Sql): Promise<void> {
  await sql`
    create table if not exists jobs (
      id text primary key,
      user_id text not null,
      created_at timestamptz not null default now()
    )`
  await sql`create index if not exists jobs_of_user on jobs (user_id, created_at desc)`
  await sql`
    create table if not exists webhooks (
      id serial primary key,
      user_id text not null,
      url text not null,
      event_type text not null,
      description text,
      active boolean not null default true,
      secret text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`
  await sql`create index if not exists webhooks_of_user on webhooks (user_id)`
}

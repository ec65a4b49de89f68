// The cost of a poll in its plainest form: a Fastify route that verifies the token and selects one row.
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyRequest } from 'fastify'
import postgres from 'postgres'
import { serve } from '../load/serve.ts'

export interface SelectRoute { databaseUrl: string, tokenSecret: string, jobs: { id: string, userId: number }[] }

const commands = {
  /** Fills a table of its own with these jobs and returns the origin. */
  listen: async ({ databaseUrl, tokenSecret, jobs }: SelectRoute) => {
    const sql = postgres(databaseUrl, { onnotice: () => {} })
    await sql`create table if not exists polled_jobs (
      id text primary key, user_id text not null, name text not null, state text not null,
      progress json, result json, created bigint not null, started bigint, finished bigint)`
    await sql`
      insert into polled_jobs
      select id, user_id, 'bench', 'completed', '100', ${sql.json({ text: 'x'.repeat(180) })}, 1640995200000, 1640995210000, 1640995300000
      from unnest(${jobs.map(({ id }) => id)}::text[], ${jobs.map(({ userId }) => String(userId))}::text[]) as job (id, user_id)`

    const app = Fastify()
    app.register(fastifyJwt, { secret: tokenSecret })
    const onRequest = (request: FastifyRequest) => request.jwtVerify()
    app.get<{ Params: { jobId: string } }>('/jobs/:jobId', { onRequest }, async (request, reply) => {
      const { userId } = request.user as { userId: number | string }
      const [job] =
        await sql`select * from polled_jobs where id = ${request.params.jobId} and user_id = ${String(userId)}`
      return job === undefined ? reply.code(404).send({ error: 'not found' }) : shown(job)
    })
    return await app.listen({ host: '127.0.0.1', port: 0 })
  }
}

export type SelectRouteCommands = typeof commands

function shown ({ id, name, state, progress, result, created, started, finished }: Record<string, unknown>) {
  const timestamp = { created: Number(created), started: Number(started), finished: Number(finished) }
  return { id, name, state, progress, result, timestamp }
}

serve(commands)

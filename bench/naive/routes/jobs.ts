import { Job } from 'bullmq'
import type { Queue } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import type { Sql } from 'postgres'

interface User { userId: number | string }
interface Submission { name: string, data?: object }
interface Page { page?: number, limit?: number }

const KEPT = { age: 24 * 3600 }

export async function jobRoutes (app: FastifyInstance, { queue, sql }: { queue: Queue, sql: Sql }) {
  app.post<{ Body: Submission }>('/submit-job', async (request, reply) => {
    const { userId } = request.user as User
    const { name, data } = request.body
    const job = await queue.add(name, { ...data, userId }, { removeOnComplete: KEPT, removeOnFail: KEPT })
    await sql`insert into jobs (id, user_id) values (${job.id as string}, ${String(userId)})`
    return reply.code(202).send({ jobId: job.id })
  })

  app.get<{ Params: { jobId: string } }>('/jobs/:jobId', async (request, reply) => {
    const { userId } = request.user as User
    const job = await Job.fromId(queue, request.params.jobId)
    if (job?.data.userId !== userId) return reply.code(404).send({ error: 'not found' })
    return { ...await summary(job), result: job.returnvalue, failedReason: job.failedReason }
  })

  const properties = { page: { type: 'integer', default: 1 }, limit: { type: 'integer', default: 10 } }
  const schema = { querystring: { type: 'object', properties } }
  app.get<{ Querystring: Page }>('/jobs', { schema }, async request => {
    const { page = 1, limit = 10 } = request.query
    const userId = String((request.user as User).userId)
    const [rows, [counted]] = await Promise.all([
      sql<{ id: string }[]>`
        select id from jobs where user_id = ${userId} order by created_at desc limit ${limit} offset ${(page - 1) * limit}`,
      sql<[{ total: number }]>`select count(*)::int as total from jobs where user_id = ${userId}`
    ])
    const found = await Promise.all(rows.map(({ id }) => Job.fromId(queue, id)))
    const jobs = await Promise.all(found.filter(job => job !== undefined).map(summary))
    return { jobs, pagination: { total: counted.total, page, limit, pages: Math.ceil(counted.total / limit) } }
  })
}

async function summary (job: Job) {
  return {
    id: job.id,
    name: job.name,
    state: await job.getState(),
    progress: job.progress,
    timestamp: { created: job.timestamp, started: job.processedOn ?? null, finished: job.finishedOn ?? null }
  }
}

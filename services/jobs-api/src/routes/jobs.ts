import { callbackify } from 'node:util'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { DoneFuncWithErrOrRes, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import {
  CountJobsQuery, GetJobQuery, Job, JobCounts, JobId, JobList, jsonArray, jsonWith, JobStats, JobStatsQuery,
  JobTimeline, JobTimelineQuery, ListJobsQuery
} from '@tidings/contracts'
import { compact, hasEtag, nothing, problemResponses, sendJson, statsRangeOf } from '@tidings/service-kit'
import { attemptsOf } from '../read/attempts.ts'
import { countByState } from '../read/count-jobs.ts'
import { etagOf } from '../read/etag.ts'
import type { FoundJob, JobKey } from '../read/find-jobs.ts'
import { DataNotVisible, readJobData, withData } from '../read/job-data.ts'
import { jobNotFound } from '../read/job-not-found.ts'
import { jobJson, lastEventId } from '../read/job-row.ts'
import { readStats } from '../read/job-stats.ts'
import { listJobs } from '../read/list-jobs.ts'
import { readSamples } from '../read/read-samples.ts'
import { readTimeline } from '../read/timeline.ts'
import { RATE_LIMIT, successResponse } from './success-response.ts'

export const JobParams = Type.Object({ jobId: JobId })

const GetHeaders = Type.Object({
  'if-none-match': Type.Optional(Type.String({
    description: 'The ETag of the previous response: 304 if the job has not changed; with `wait`, the response waits ' +
      'for a change'
  }))
})

const CountsOrJob = Type.Union([JobCounts, Job], {
  examples: [{ waiting: 3, delayed: 0, active: 1, completed: 45, failed: 1 }]
})

const ETag = { etag: Type.String({ description: 'Changes with each event of the job' }) }

/** Without a payload: a serialized `null` would be counted in `content-length` but never be sent. */
const notModified = (request: FastifyRequest, reply: FastifyReply) =>
  reply.code(304).send(nothing(request) ?? undefined) as never

/** GET /jobs, /jobs/counts, /jobs/stats, /jobs/:jobId, /jobs/:jobId/events */
export const jobRoutes: FastifyPluginAsyncTypebox = async function jobRoutes (app) {
  const tags = ['jobs']
  const waitForEvent = callbackify(app.waitForEvent)
  app.addHook('preHandler', waitForAfter)

  app.get('', {
    config: { access: 'jobs:read', allUsers: true },
    onSend: compact,
    schema: {
      operationId: 'listJobs',
      tags,
      summary: 'List your jobs, newest first',
      description: 'By page, or by cursor, which skips nothing. Totals by state are exact; with other filters ' +
        'counting stops at 10,000. Filters without an index (`q`; `name` and `queue` with `sort=finished`; any for ' +
        'all users) search 100,000 jobs at a time: `pagination.isPartial` says that there are more.',
      querystring: ListJobsQuery,
      response: { 200: successResponse(JobList, 'A page of your jobs'), ...problemResponses() }
    }
  }, async (request, reply) => {
    const { query, ownerId, isAllUsers, user, signal } = request
    return sendJson(reply, await listJobs(app.sql, query, {
      userId: isAllUsers ? undefined : ownerId,
      scan: async run => await app.scan(user.userId, signal, run)
    }))
  })

  app.get('/counts', {
    config: { access: 'jobs:read' },
    schema: {
      operationId: 'countJobs',
      tags,
      summary: 'Count your jobs by state',
      description: 'With `queue`: the job of that queue whose id is `counts`, as GET /jobs/{jobId} returns it.',
      querystring: CountJobsQuery,
      response: { 200: successResponse(CountsOrJob, 'The number of jobs in each state'), ...problemResponses(404) }
    }
  }, async ({ ownerId: userId, query: { queue } }, reply) => queue === undefined
    ? await countByState(app.sql, userId)
    : sendJson(reply, jobJson(await foundJob({ userId, jobId: 'counts', queue }))))

  app.get('/stats', {
    config: { access: 'jobs:read' },
    onSend: compact,
    schema: {
      operationId: 'getJobStats',
      tags,
      summary: 'Count your finished jobs over time, with percentiles of their duration',
      description: 'By default the last 24 hours. Reads the newest 200,000 jobs that finished in the time at most: ' +
        '`isPartial` says if there were more.',
      querystring: JobStatsQuery,
      response: { 200: successResponse(JobStats, 'Your finished jobs, by bucket of time'), ...problemResponses() }
    }
  }, async ({ query, ownerId: userId, user, signal }) => {
    const { name, queue } = query
    const range = statsRangeOf(query)
    return await app.scan(user.userId, signal, async () => await readStats(app.sql, { ...range, userId, name, queue }))
  })

  app.get('/:jobId', {
    config: { access: 'jobs:read', isBounded: true }, // the read has its own bound, and so has each wait
    schema: {
      operationId: 'getJob',
      tags,
      summary: 'Get a job',
      description: 'With `wait` the response waits until the job changes; a finished job is returned at once. With ' +
        '`include=data` it has what was submitted, up to 1 MiB.',
      params: JobParams,
      querystring: GetJobQuery,
      headers: GetHeaders,
      response: {
        200: successResponse(Job, 'The job', ETag),
        304: { ...Type.Null(), description: 'Not modified', headers: { ...ETag, ...RATE_LIMIT } },
        ...problemResponses(404, 414)
      }
    }
  }, async (request, reply) => {
    const { params: { jobId }, query: { queue, wait, include }, ownerId: userId, user } = request
    if (include && !app.config.JOB_DATA_VISIBLE) throw new DataNotVisible()
    const ifNoneMatch = request.headers['if-none-match']
    const key = { userId, jobId, queue }
    const row = await (wait === undefined
      ? app.findJob(key)
      : app.waitForJob({
        key, requesterId: user.userId, waitMs: wait * 1000, ifNoneMatch, signal: request.signal
      }))
    if (!row) throw await jobNotFound(app.sql, key)
    const etag = etagOf(lastEventId(row))
    reply.header('etag', etag).header('cache-control', 'private, no-cache')
    if (hasEtag(ifNoneMatch, etag)) return notModified(request as FastifyRequest, reply as unknown as FastifyReply)
    const json = jobJson(row)
    return sendJson(reply, include ? withData(json, await readJobData(row, dataContext(userId))) : json)
  })

  app.get('/:jobId/events', {
    config: { access: 'jobs:read' },
    onSend: compact,
    schema: {
      operationId: 'getJobEvents',
      tags,
      summary: 'List the events of a job',
      description: 'Oldest first, without progress; the newest 1,000. With `include=progress` also samples of the ' +
        'progress, and the attempts.',
      params: JobParams,
      querystring: JobTimelineQuery,
      response: { 200: successResponse(JobTimeline, 'The events of the job'), ...problemResponses(404, 414) }
    }
  }, async ({ ownerId: userId, params: { jobId }, query: { queue, include } }, reply) => {
    const row = await foundJob({ userId, jobId, queue })
    const timeline = await readTimeline(app.sql, row)
    if (!include) return timeline
    const attempts = attemptsOf(timeline.events, row.attempts_made)
    const samples = jsonArray(await readSamples(app.sql, row))
    return sendJson(reply, jsonWith({ ...timeline, attempts }, 'progress', samples))
  })

  function dataContext (userId: string) {
    const findQueue = (name: string) => app.findQueue(name)
    const isRelayed = (name: string) => app.config.queues.includes(name)
    return { userId, sql: app.sql, redis: app.redis, findQueue, isRelayed }
  }

  async function foundJob (key: JobKey): Promise<FoundJob> {
    const row = await app.findJob(key)
    if (!row) throw await jobNotFound(app.sql, key)
    return row
  }

  /** Every read accepts `?after`. With a callback: most requests come without it and need no promise. */
  function waitForAfter (request: FastifyRequest, _reply: FastifyReply, done: DoneFuncWithErrOrRes) {
    const { after } = request.query as { after?: string }
    if (after === undefined) done()
    else waitForEvent(after, request.signal, err => done(err ?? undefined))
  }
}

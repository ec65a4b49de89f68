import { QueueEvents } from 'bullmq'
import type { ConnectionOptions, Queue } from 'bullmq'
import type { Server } from 'socket.io'
import type { findOwner } from './owner.ts'
import type { postWithFetch } from './post.ts'
import type { Webhooks } from './webhooks.ts'

interface Channels {
  queue: Queue
  connection: ConnectionOptions
  io: Server
  webhooks: Webhooks
  findOwner: typeof findOwner
  post: typeof postWithFetch
}

/** Tells the owner of a job what becomes of it, by socket and by webhook. */
export async function notifyUsers ({ queue, connection, io, webhooks, findOwner, post }: Channels): Promise<void> {
  const events = new QueueEvents(queue.name, { connection })
  events.on('progress', ({ jobId, data }) => { tell(jobId, 'progress', { progress: data }).catch(report) })
  events.on('completed', ({ jobId, returnvalue }) => { tell(jobId, 'completed', { result: returnvalue }).catch(report) })
  events.on('failed', ({ jobId, failedReason }) => { tell(jobId, 'failed', { error: failedReason }).catch(report) })
  events.on('error', report)
  await events.waitUntilReady()

  async function tell (jobId: string, eventType: string, news: object) {
    const job = await findOwner(queue, jobId)
    if (job === undefined) return
    const { name, userId } = job

    const message = { jobId, name, userId, ...news, timestamp: Date.now() }
    io.to(`user:${userId}`).emit(`job:${eventType}`, message)
    io.to(`job:${jobId}`).emit(`job:${jobId}:${eventType}`, message)

    const body = JSON.stringify({ id: jobId, jobname: name, userId, ...news, eventType })
    const interested = await webhooks.find(userId, eventType)
    await Promise.all(interested.map(webhook => post(webhook, body)))
  }
}

function report (err: unknown) {
  console.error(err)
}

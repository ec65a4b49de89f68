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

/** Notifies the owner of a job over sockets and webhooks. */
export async function notifyUsers ({ queue, connection, io, webhooks, findOwner, post }: Channels): Promise<void> {
  const events = new QueueEvents(queue.name, { connection })
  events.on('progress', ({ jobId, data }) => { notify(jobId, 'progress', { progress: data }).catch(report) })
  events.on('completed', ({ jobId, returnvalue }) => {
    notify(jobId, 'completed', { result: returnvalue }).catch(report)
  })
  events.on('failed', ({ jobId, failedReason }) => { notify(jobId, 'failed', { error: failedReason }).catch(report) })
  events.on('error', report)
  await events.waitUntilReady()

  async function notify (jobId: string, eventType: string, fields: object) {
    const job = await findOwner(queue, jobId)
    if (job === undefined) return
    const { name, userId } = job

    const message = { jobId, name, userId, ...fields, timestamp: Date.now() }
    io.to(`user:${userId}`).emit(`job:${eventType}`, message)
    io.to(`job:${jobId}`).emit(`job:${jobId}:${eventType}`, message)

    const body = JSON.stringify({ id: jobId, jobname: name, userId, ...fields, eventType })
    const interested = await webhooks.find(userId, eventType)
    await Promise.all(interested.map(webhook => post(webhook, body)))
  }
}

function report (err: unknown) {
  console.error(err)
}

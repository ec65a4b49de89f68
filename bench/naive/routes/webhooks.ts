import type { FastifyInstance } from 'fastify'
import type { NewWebhook, Webhooks } from '../webhooks.ts'

interface User { userId: number | string }

export async function webhookRoutes (app: FastifyInstance, { webhooks }: { webhooks: Webhooks }) {
  app.get('/webhooks', async request => {
    return { webhooks: await webhooks.list((request.user as User).userId) }
  })

  app.post<{ Body: NewWebhook }>('/webhooks', async (request, reply) => {
    return reply.code(201).send(await webhooks.create((request.user as User).userId, request.body))
  })

  app.delete<{ Params: { id: number } }>('/webhooks/:id', async (request, reply) => {
    const isRemoved = await webhooks.remove((request.user as User).userId, request.params.id)
    return reply.code(isRemoved ? 204 : 404).send()
  })
}

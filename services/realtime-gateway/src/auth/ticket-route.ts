import fp from 'fastify-plugin'
import { bearerToken, problemResponse, Ticket } from '@tidings/contracts'
import { createTickets, TICKET_SECONDS, type Tickets } from './tickets.ts'

/** `POST /auth/ticket`: lets a browser's EventSource in, which can send no header. */
export const ticketRoute = fp(async function ticketRoute (app) {
  const tickets = createTickets(app.redis)
  app.decorate('tickets', tickets)

  app.post('/auth/ticket', {
    schema: {
      operationId: 'createTicket',
      summary: 'A one-time ticket for an event stream',
      tags: ['realtime'],
      response: { 201: Ticket, '4xx': problemResponse('Not let in') }
    },
    onRequest: app.authenticate
  }, async (request, reply) => {
    const ticket = await tickets.issue(bearerToken(request.headers.authorization) as string)
    return reply.code(201).header('cache-control', 'no-store').send({ ticket, expiresIn: TICKET_SECONDS })
  })
}, { name: 'tickets', dependencies: ['redis', 'jwt-auth'] })

declare module 'fastify' {
  interface FastifyInstance { tickets: Tickets }
}

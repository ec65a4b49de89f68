import fp from 'fastify-plugin'
import { bearerToken, Ticket } from '@tidings/contracts'
import { problemResponses, withoutBody } from '@tidings/service-kit'
import { createTickets, TICKET_SECONDS, type Tickets } from './tickets.ts'

const example = { ticket: 'mZ0hWn3fYp8Jb1cQ7tXv5LrKe2sGdU9aHxN4oIzTqRw', expiresIn: TICKET_SECONDS }
const created = { description: 'The ticket', content: { 'application/json': { schema: Ticket, example } } }

/** `POST /auth/ticket`: admits a browser's EventSource, which can send no header. */
export const ticketRoute = fp(async function ticketRoute (app) {
  const { admission } = app
  const tickets = createTickets(app.redis)
  app.decorate('tickets', tickets)

  app.post('/auth/ticket', {
    config: { access: 'jobs:read' },
    schema: {
      operationId: 'createTicket',
      summary: 'Create a ticket for one event stream',
      description: 'For a browser\'s own EventSource, which can send no header: ' +
        '`new EventSource(\'/events?ticket=…\')`. ' +
        'The ticket opens one stream, within 60 seconds, for the user of the token. The same stream reconnects with ' +
        'it, as an EventSource does by itself with Last-Event-ID, until the token expires or is revoked. It allows ' +
        'what the token allows, for the user whom the request names.',
      tags: ['realtime'],
      response: { 201: created, ...problemResponses(413, 415) }
    },
    ...withoutBody,
    onRequest: [async () => { admission.assertAccepting() }, app.authenticate]
  }, async (request, reply) => {
    admission.countConnect(request.user) // a ticket is for a session and counts as one
    const { ownerId, user } = request
    const ticket = await tickets.issue({
      token: bearerToken(request.headers.authorization) as string,
      userId: ownerId === user.userId ? undefined : ownerId
    })
    return reply.code(201).header('cache-control', 'no-store').send({ ticket, expiresIn: TICKET_SECONDS })
  })
}, { name: 'tickets', dependencies: ['redis', 'jwt-auth', 'admission'] })

declare module 'fastify' {
  interface FastifyInstance { tickets: Tickets }
}

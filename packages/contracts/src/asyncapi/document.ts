import { Type, type TSchema } from 'typebox'
import { createNamedSchemas } from '../named-schemas.ts'
import { JOB_EVENTS_KEY } from '../redis-keys.ts'
import {
  COMMANDS, COMMAND_MESSAGES, commandFrame, eventFrame, MALFORMED, SESSION_MESSAGES, SNAPSHOT, STREAM_ENTRY, WEBHOOKS,
  WebhookHeaders, type Message
} from './messages.ts'

type Ref = { $ref: string }

/** A message of the document. `title` is its name in lists: the event, with the transport where it has a frame. */
type DocumentMessage = {
  name: string
  title: string
  summary: string
  payload: object
  headers?: object
  examples: { payload: unknown }[]
}

type Channel = {
  address: string | null
  title: string
  description: string
  servers: Ref[]
  messages: Record<string, Ref>
  parameters?: object
  bindings?: object
}

type Operation = {
  action: 'send' | 'receive'
  summary: string
  channel: Ref
  messages: Ref[]
  reply?: { channel: Ref, messages: Ref[] }
  bindings?: object
}

/** An AsyncAPI 3.0 document. */
export type AsyncApiDocument = {
  asyncapi: '3.0.0'
  info: { title: string, version: string, description: string, license: object }
  defaultContentType: string
  servers: Record<string, { host: string, protocol: string, description: string, pathname?: string }>
  channels: Record<string, Channel>
  operations: Record<string, Operation>
  components: { messages: Record<string, DocumentMessage>, schemas: Record<string, object>, securitySchemes: object }
}

const HOST = { default: 'localhost:4000', description: 'The edge' }
const SECURITY = [{ $ref: '#/components/securitySchemes/bearer' }]

const SERVERS = {
  socketIo: {
    host: '{host}',
    pathname: '/socket.io/',
    protocol: 'socketio',
    description: 'Socket.IO 4, the namespace `/`; the token in `auth.token`, the position in `auth.lastEventId`',
    variables: { host: HOST },
    security: SECURITY
  },
  webSocket: {
    host: '{host}',
    protocol: 'ws',
    description: 'Frames of JSON text; the token as subprotocol `bearer.<token>` beside `tidings.v1`, or in the header',
    variables: { host: HOST },
    security: SECURITY
  },
  eventStreams: {
    host: '{host}',
    protocol: 'http',
    description: 'Server-sent events: `event` and `data` of a block are name and payload of the message, `id` is the ' +
      'position to resume from. The token in the header, or a ticket of `POST /auth/ticket` in the query',
    variables: { host: HOST },
    security: [...SECURITY, { $ref: '#/components/securitySchemes/ticket' }]
  },
  receiver: {
    host: '{receiver}',
    protocol: 'https',
    description: 'Your own endpoint, which a webhook names',
    variables: { receiver: { default: 'example.com' } }
  },
  redis: {
    host: '{redis}',
    protocol: 'redis',
    description: 'For operators only: not a public interface, and not reachable for clients',
    variables: { redis: { default: 'localhost:6379' } }
  }
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  ticket: { type: 'httpApiKey', in: 'query', name: 'ticket' }
}

const POSITION = Type.Object({
  lastEventId: Type.Optional(Type.String({ description: 'The id of the last received event' }))
})

/** docs/asyncapi.json: every message that crosses a boundary by itself, in each channel, with an example. */
export function asyncApiDocument (version: string): AsyncApiDocument {
  const messages: Record<string, DocumentMessage> = {}
  const channels: Record<string, Channel> = {}
  const operations: Record<string, Operation> = {}

  function message (
    id: string, { name, summary, payload, example }: Message, more: Partial<DocumentMessage> = {}
  ): string {
    messages[id] = { name, title: name, summary, payload, examples: [{ payload: example }], ...more }
    return id
  }

  function channel (
    id: string, server: keyof typeof SERVERS, ids: string[], more: Omit<Channel, 'servers' | 'messages'>
  ) {
    const entries = ids.map(name => [name, { $ref: `#/components/messages/${name}` }])
    channels[id] = { ...more, servers: [{ $ref: `#/servers/${server}` }], messages: Object.fromEntries(entries) }
  }

  function operation (
    id: string, { of, messages: ids, ack, ...more }: Pick<Operation, 'action' | 'summary' | 'bindings'> & {
      of: string, messages: string[], ack?: string
    }
  ) {
    const refs = (names: string[]) => names.map(name => ({ $ref: `#/channels/${of}/messages/${name}` }))
    const to = { $ref: `#/channels/${of}` }
    operations[id] = {
      ...more,
      channel: to,
      messages: refs(ids),
      ...(ack !== undefined && { reply: { channel: to, messages: refs([ack]) } })
    }
  }

  const session = Object.entries(SESSION_MESSAGES).map(([id, one]) => message(id, one))
  const outcomes = Object.entries(COMMAND_MESSAGES).map(([id, one]) => message(id, one))
  const commands = Object.entries(COMMANDS).map(([id, { ack, ...one }]) => ({
    id: message(id, one), name: one.name, ack: message(`${id}Ack`, { name: `ack of ${one.name}`, ...ack })
  }))

  channel('socketIo', 'socketIo', [...session, ...outcomes, ...commands.flatMap(({ id, ack }) => [id, ack])], {
    address: '/',
    title: 'Socket.IO',
    description: 'The name of a message is that of the event. Resume by `auth.lastEventId`.'
  })
  operation('sendToSocketIo', {
    action: 'send',
    summary: 'Events of the user\'s jobs, and of the session',
    of: 'socketIo',
    messages: [...session, ...outcomes]
  })
  for (const { id, name, ack } of commands) {
    operation(id, { action: 'receive', summary: `\`${name}\`, with an ack callback`, of: 'socketIo', messages: [id], ack })
  }

  const framed = Object.entries({ ...SESSION_MESSAGES, ...COMMAND_MESSAGES, malformed: MALFORMED }).map(([id, one]) =>
    message(`${id}Frame`, {
      ...one, payload: eventFrame(one), example: { event: one.name.replace('<jobId>', '0198c1f6'), data: one.example }
    }, { title: `${one.name} over /ws` }))
  const framedCommands = Object.entries(COMMANDS).map(([id, { ack, ...one }]) => ({
    id: message(`${id}Frame`, {
      ...one, payload: commandFrame(one), example: { event: one.name, data: one.example, id: 1 }
    }, { title: `${one.name} over /ws` }),
    name: one.name,
    ack: message(`${id}AckFrame`, {
      ...ack,
      name: 'ack',
      payload: ackFrame(ack.payload),
      example: { event: 'ack', data: { id: 1, ...ack.example as object } }
    }, { title: `ack of ${one.name} over /ws` })
  }))
  channel('webSocket', 'webSocket', [...framed, ...framedCommands.flatMap(({ id, ack }) => [id, ack])], {
    address: '/ws',
    title: 'WebSocket',
    description: 'Each message is a text frame `{"event": …, "data": …}`. Resume by `?lastEventId`.',
    bindings: { ws: { method: 'GET', query: POSITION, bindingVersion: '0.1.0' } }
  })
  operation('sendToWebSocket', {
    action: 'send', summary: 'The events of Socket.IO, as frames', of: 'webSocket', messages: framed
  })
  for (const { id, name, ack } of framedCommands) {
    operation(id, { action: 'receive', summary: `\`${name}\`, with an \`id\``, of: 'webSocket', messages: [id], ack })
  }

  const get = { http: { method: 'GET', query: POSITION, bindingVersion: '0.3.0' } }
  channel('events', 'eventStreams', session, {
    address: '/events',
    title: 'Events of a user',
    description: 'All events of the user\'s jobs. Resume by Last-Event-ID, as an EventSource does by itself.'
  })
  operation('streamEvents', {
    action: 'send', summary: '`GET /events`', of: 'events', messages: session, bindings: get
  })

  const ofJob = [...session, message('job', SNAPSHOT), 'subscribeError']
  channel('jobStream', 'eventStreams', ofJob, {
    address: '/jobs/{jobId}/stream',
    title: 'Events of a job',
    description: '`session`, then `job`, then each later event of the job.',
    parameters: { jobId: { description: 'Id of the job' } }
  })
  operation('streamJob', {
    action: 'send', summary: '`GET /jobs/{jobId}/stream`', of: 'jobStream', messages: ofJob, bindings: get
  })

  const bodies = Object.entries(WEBHOOKS).map(([id, one]) =>
    message(id, one, { title: `webhook ${one.name}`, headers: WebhookHeaders }))
  channel('webhook', 'receiver', bodies, {
    address: null,
    title: 'Webhooks',
    description: 'The url of a webhook. Signed by Standard Webhooks; any 2xx is a success, all else is tried again.'
  })
  operation('deliver', {
    action: 'send',
    summary: 'One delivery for each event and webhook, at least once',
    of: 'webhook',
    messages: bodies,
    bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } }
  })

  channel('jobEvents', 'redis', [message('streamEntry', STREAM_ENTRY)], {
    address: null,
    title: 'Stream of job events',
    description: `For operators: the Redis stream \`${JOB_EVENTS_KEY}\`, which joins the services.`
  })
  operation('publishJobEvent', {
    action: 'send', summary: 'jobs-api appends each event of a job once', of: 'jobEvents', messages: ['streamEntry']
  })

  const named = createNamedSchemas()
  const marked = named.mark({ channels, messages }) as { channels: typeof channels, messages: typeof messages }
  return named.refer({
    asyncapi: '3.0.0',
    info: {
      title: 'Tidings events',
      version,
      description: 'What Tidings sends by itself: events of jobs over Socket.IO, WebSocket, event streams and ' +
        'webhooks. The id of an event is the same in every channel.',
      license: { name: 'Apache-2.0' }
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: marked.channels,
    operations,
    components: { messages: marked.messages, securitySchemes: SECURITY_SCHEMES }
  }) as unknown as AsyncApiDocument
}

/** A frame of `/ws` that answers a command: the ack, with the id of the command in it. */
function ackFrame (ack: TSchema): TSchema {
  const { anyOf } = ack as unknown as { anyOf: { properties: Record<string, TSchema> }[] }
  const id = Type.Union([Type.Integer(), Type.String()])
  return Type.Object({
    event: Type.Literal('ack'),
    data: Type.Union(anyOf.map(({ properties }) => Type.Object({ id, ...properties })))
  })
}

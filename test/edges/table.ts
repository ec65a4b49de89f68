export interface Row {
  name: string
  /** The path, which determines the service. */
  path: string
  send: string | Buffer | (string | Buffer)[]
  method?: string
  status: number
  halfClose?: boolean
  /**
   * Whether the client asks for the end of the connection. Otherwise a service may end it where an edge, which has a
   * connection of its own to the client, does not.
   */
  ends?: boolean
  /** Whether the second part is sent only after the 100 Continue for the first. */
  waits?: boolean
  /** Edges that may respond differently: why, and with which statuses. */
  differs?: Partial<Record<'edge' | 'caddy', { reason: string, statuses?: number[] }>>
}

export interface Known {
  token: string
  /** The token of another user, so that the jobs which the table submits are in no list that it compares. */
  writerToken: string
  jobId: string
  etag: string
  /** The origin of a page that is allowed to call. */
  page: string
}

const CADDY_UNPACKS = 'Caddy asks for gzip and unpacks it, so the length is not known ahead'
const GO_ANSWERS = 'Go\'s HTTP server refuses it before Caddy sees it, in its own words'

type GetOptions = Partial<Row> & { headers?: string, version?: string }

/** The requests, byte for byte. */
export function table ({ token, writerToken, jobId, etag, page }: Known): Row[] {
  const auth = `Authorization: Bearer ${token}\r\n`
  const writer = `Authorization: Bearer ${writerToken}\r\n`
  const json = 'Content-Type: application/json\r\n'
  const host = 'Host: tidings.test\r\n'
  const submit = `POST /submit-job HTTP/1.1\r\n${host}${writer}`
  const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  const webSocket = 'Connection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const job = '{"name":"dataProcessing","delay":86400000}'
  const get = (path: string, status: number, options: GetOptions = {}): Row => {
    const { headers = '', version = '1.1', name = '', ...more } = options
    const method = more.method ?? 'GET'
    const hostHeader = version === '1.0' ? '' : host
    return {
      name: name || `${method} ${path} ${headers.trim().replaceAll('\r\n', ', ')}`.slice(0, 100),
      path,
      status,
      send: `${method} ${path} HTTP/${version}\r\n${hostHeader}${auth}${headers}\r\n`,
      ...more
    }
  }
  const post = (path: string, status: number, body: string, headers = json, more: Partial<Row> = {}): Row => ({
    name: `POST ${path} of ${body.length} bytes, ${headers.trim().replaceAll('\r\n', ', ')}`.slice(0, 120),
    path,
    status,
    method: 'POST',
    send: `POST ${path} HTTP/1.1\r\n${host}${path.startsWith('/submit') ? writer : auth}${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ...more
  })
  const chunked = (body: string, size: number) => body
    .match(new RegExp(`[^]{1,${size}}`, 'g'))
    ?.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    .join('') ?? ''
  const large = (bytes: number) =>
    JSON.stringify({ name: 'dataProcessing', delay: 86_400_000, data: { text: 'x'.repeat(bytes) } })

  return [
    // methods and paths
    get(`/jobs/${jobId}`, 200),
    get(`/jobs/${jobId}`, 200, { method: 'HEAD' }),
    get('/jobs', 200),
    get('/jobs/', 200),
    get('//jobs', 200),
    get(`/jobs/${jobId}/`, 200),
    get(`/jobs/${jobId}/events`, 200),
    get(`/jobs/${jobId}/deliveries`, 200),
    get(`/jobs/${jobId}/deliveries/`, 200),
    get(`//jobs//${jobId}/deliveries?queue=default`, 200),
    get('/jobs/a%2Fb/deliveries', 200),
    get(`/jobs/${jobId}/deliveries/1`, 404),
    get(`/jobs/${jobId}/deliveries`, 405, { method: 'DELETE' }),
    get('/jobs/counts', 200),
    get('/bulk', 200),
    get('/operators/queues', 403),
    get('/operators/deliveries', 403),
    get('/bulk/', 200),
    get('/bulk/nothing', 400),
    get(`/bulk/deliveries-${jobId}`, 404),
    get('/webhooks', 200),
    get('/webhooks/', 200),
    get('/webhooks/legacy', 404),
    get('/deliveries/1', 404),
    get('/jobs/nothing', 404),
    get('/jobs/nothing/stream', 404),
    get('/jobs?limit=1000', 400),
    get('/webhooks/x', 400),
    get('/webhooks/0', 400),
    get('/deliveries', 200),
    get('/deliveries/', 200),
    ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map(method => get('/jobs', 405, { method })),
    ...['DELETE', 'POST'].map(method => get(`/jobs/${jobId}`, 405, { method })),
    get('/submit-job', 405),
    get('/webhooks', 405, { method: 'PATCH' }),
    get('/events', 405, { method: 'DELETE' }),
    get('/auth/ticket', 405),
    get('/docs/events', 200, { differs: { caddy: { reason: CADDY_UNPACKS } } }),
    get('/asyncapi.json', 200, { differs: { caddy: { reason: CADDY_UNPACKS } } }),
    get('/auth/refresh', 405),
    get(`/jobs/${jobId}/stream`, 405, { method: 'PUT' }),
    get('/ws', 426),
    get('/socket.io/?EIO=4&transport=polling', 200),
    get('/socket.io/?EIO=4&transport=junk', 400),
    get('/jobs', 501, { method: 'FOO' }),
    get('/jobs', 204, { method: 'OPTIONS' }),
    get('/webhooks', 204, { method: 'OPTIONS' }),
    { name: 'without a token', path: '/jobs', status: 401, send: `GET /jobs HTTP/1.1\r\n${host}\r\n` },

    // conditional
    get(`/jobs/${jobId}`, 304, { headers: `If-None-Match: ${etag}\r\n` }),
    get(`/jobs/${jobId}`, 304, { headers: `If-None-Match: W/${etag}, "x"\r\n` }),
    get(`/jobs/${jobId}`, 304, { headers: 'If-None-Match: *\r\n' }),
    get(`/jobs/${jobId}`, 200, { headers: 'If-None-Match: "other"\r\n' }),
    get(`/jobs/${jobId}`, 304, {
      method: 'HEAD',
      headers: `If-None-Match: ${etag}\r\n`,
      differs: {
        caddy: { reason: 'Fastify adds a length of 0 to the response of a HEAD, which Go removes from a 304' }
      }
    }),

    get('/jobs?limit=100', 200, { headers: 'Accept-Encoding: gzip\r\n' }),
    get('/jobs?limit=100', 304, { headers: 'If-None-Match: *\r\n' }),
    get('/webhooks', 304, { headers: 'If-None-Match: *\r\n' }),

    // connection
    get(`/jobs/${jobId}`, 200, { headers: 'Connection: close\r\n', ends: true }),
    get(`/jobs/${jobId}`, 200, { version: '1.0', ends: true }),
    get('/jobs', 200, { version: '1.0', headers: 'Connection: keep-alive\r\n' }),
    get('/jobs/nothing', 404, { headers: 'Connection: close\r\n', ends: true }),
    get('/jobs', 200, {
      headers: 'Connection: X-Own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: timeout=1\r\n' +
        'TE: trailers\r\nProxy-Connection: keep-alive\r\n'
    }),

    // upgrades
    get('/jobs', 200, { headers: h2c }),
    get('/webhooks', 200, { headers: h2c }),
    get('/auth/ticket', 405, { headers: h2c }),
    get('/jobs/nothing/stream', 404, { headers: h2c }),
    get('/jobs', 200, { headers: 'Connection: Upgrade\r\nUpgrade: junk/7\r\n' }),
    get('/jobs', 200, { headers: 'Connection: Upgrade\r\nUpgrade: websocket\r\n' }),
    get('/ws', 426, { headers: 'Connection: Upgrade\r\nUpgrade: h2c\r\n' }),
    get('/socket.io/?EIO=4&transport=polling', 200, { headers: 'Connection: Upgrade\r\nUpgrade: h2c\r\n' }),
    get('/ws', 101, { headers: webSocket, name: 'a WebSocket' }),
    {
      name: 'a WebSocket without a token',
      path: '/ws',
      status: 401,
      send: `GET /ws HTTP/1.1\r\n${host}${webSocket}\r\n`
    },
    {
      name: 'POST that offers h2c, with a body',
      path: '/submit-job',
      method: 'POST',
      status: 202,
      send: `${submit}${json}${h2c}Content-Length: ${job.length}\r\n\r\n${job}`
    },

    // bodies
    post('/submit-job', 202, job),
    post('/submit-job', 400, ''),
    post('/submit-job', 400, '{'),
    post('/submit-job', 400, '1'),
    post('/submit-job', 415, job, 'Content-Type: text/plain\r\n'),
    post('/submit-job', 202, large(64 * 1024)),
    post('/submit-job', 202, large(900_000)),
    post('/submit-job', 413, large(1024 * 1024)),
    post('/submit-job', 413, large(3 * 1024 * 1024)),
    post('/submit-jobs', 202, `{"jobs":[${job},${job}]}`),
    post('/auth/ticket', 201, ''),
    post('/auth/refresh', 400, '{}'),
    post('/webhooks', 400, '{"url":"x","eventType":"all"}'),
    post(`/jobs/${jobId}/retry`, 409, ''),
    post('/jobs/nothing/cancel', 404, ''),
    get('/webhooks/999', 404, { method: 'DELETE', headers: json }),
    {
      name: 'POST in chunks',
      path: '/submit-job',
      method: 'POST',
      status: 202,
      send: `${submit}${json}Transfer-Encoding: chunked\r\n\r\n${chunked(job, 7)}0\r\n\r\n`
    },
    {
      name: 'POST of 500 KB in chunks, with a trailer',
      path: '/submit-job',
      method: 'POST',
      status: 202,
      send: `${submit}${json}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${chunked(large(500_000), 65_000)}0\r\nX-Sum: 1\r\n\r\n`
    },
    {
      name: 'POST in chunks of nothing',
      path: '/submit-job',
      method: 'POST',
      status: 400,
      send: `${submit}${json}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    },
    {
      name: 'Expect: 100-continue',
      path: '/submit-job',
      method: 'POST',
      status: 202,
      waits: true,
      send: [`${submit}${json}Expect: 100-continue\r\nContent-Length: ${job.length}\r\n\r\n`, job]
    },
    get('/jobs', 200, {
      headers: 'Content-Length: 5\r\n',
      name: 'GET with a body',
      send: `GET /jobs HTTP/1.1\r\n${host}${auth}${json}Content-Length: 2\r\n\r\n{}`
    }),

    // browsers
    get('/jobs/nothing', 404, { headers: `Origin: ${page}\r\n` }),
    get('/jobs', 200, { headers: `Origin: ${page}\r\n` }),
    get('/jobs', 200, { headers: 'Origin: https://other.example\r\n' }),
    get('/submit-job', 204, {
      method: 'OPTIONS',
      headers: `Origin: ${page}\r\nAccess-Control-Request-Method: POST\r\n` +
        'Access-Control-Request-Headers: authorization, content-type\r\n'
    }),
    get('/webhooks', 204, {
      method: 'OPTIONS',
      headers: `Origin: ${page}\r\nAccess-Control-Request-Method: DELETE\r\n`
    }),
    get('/auth/ticket', 204, {
      method: 'OPTIONS',
      headers: `Origin: ${page}\r\nAccess-Control-Request-Method: POST\r\n`
    }),
    get('/submit-job', 405, { headers: `Origin: ${page}\r\n` }),

    // odd paths and headers
    get('/jobs/a%2Fb', 404),
    get('/jobs/a%2Fstream', 404),
    get('/jobs/x%2Fy/stream', 404),
    get('/jobs/%C3%BC', 404),
    get('/jobs/a%20b', 404),
    get('/jobs/a+b;c=d@e:f!$&\'()*,', 404),
    get('/jobs/%00', 400, { name: 'a NUL in a path' }),
    get('/jobs/%E0%A4%A', 400, { differs: { caddy: { reason: GO_ANSWERS } } }),
    get(`/jobs/${'x'.repeat(300)}`, 400),
    get(`/jobs/${'x'.repeat(3000)}`, 414),
    get(`/jobs?cursor=${'x'.repeat(8000)}`, 400),
    get('/jobs?status=failed&status=active', 200),
    get('/jobs?nothing=1', 400),
    get('/jobs', 200, { headers: `X-Long: ${'x'.repeat(8000)}\r\n` }),
    get('/jobs', 431, {
      headers: `X-Long: ${'x'.repeat(30_000)}\r\n`,
      name: 'headers of 30 KB',
      differs: { caddy: { reason: GO_ANSWERS } }
    }),
    get('/jobs', 200, { headers: 'X-Twice: 1\r\nX-Twice: 2\r\n' }),
    get('/jobs', 200, { headers: 'X-Empty:\r\n' }),
    get('/jobs', 417, { headers: 'Expect: tea\r\n', differs: { caddy: { reason: GO_ANSWERS } } }),

    // not valid HTTP
    {
      name: 'raw UTF-8 in a path',
      path: '/jobs',
      status: 400,
      send: `GET /jobs/ü HTTP/1.1\r\n${host}${auth}\r\n`,
      differs: { caddy: { reason: 'Go accepts it, and forwards it percent-encoded', statuses: [404] } }
    },
    {
      name: 'no host',
      path: '/jobs',
      status: 400,
      send: `GET /jobs HTTP/1.1\r\n${auth}\r\n`,
      differs: { edge: { reason: 'the wording differs' }, caddy: { reason: GO_ANSWERS } }
    },
    {
      name: 'a bad chunk',
      path: '/submit-job',
      method: 'POST',
      status: 400,
      send: `${submit}${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      differs: {
        caddy: { reason: 'Caddy mistakes a client that breaks off for a service that does', statuses: [499, 502] }
      }
    },
    {
      name: 'an invalid length',
      path: '/submit-job',
      method: 'POST',
      status: 400,
      send: `${submit}Content-Length: x\r\n\r\n`,
      differs: { caddy: { reason: GO_ANSWERS } }
    },
    {
      name: 'a body cut short',
      path: '/submit-job',
      method: 'POST',
      status: 400,
      halfClose: true,
      send: `${submit}${json}Content-Length: 50\r\n\r\n{"name"`,
      differs: {
        caddy: { reason: 'Caddy mistakes a client that breaks off for a service that does', statuses: [499, 502] }
      }
    },
    {
      name: 'a tunnel',
      path: '/jobs',
      method: 'CONNECT',
      status: 405,
      send: `CONNECT other.test:443 HTTP/1.1\r\n${host}\r\n`,
      differs: { caddy: { reason: 'Go routes by the host instead of the path', statuses: [404] } }
    }
  ]
}

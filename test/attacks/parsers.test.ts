import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeFoundJobs, encodeFoundJobs, renderUserId, socketMessage, userIdText, webhookMessage
} from '@tidings/contracts'
import {
  compareEventIds, decode, entryOf, formatEventId, MalformedJobEvent, parseEventId, UnsupportedJobEvent
} from '@tidings/job-events'
import {
  CommonConfig, notBeforeOf, readConfig, readOrigins, redisTarget, targetOf, type EgressRules
} from '@tidings/service-kit'
import { fuzzParsers, json, near, orThrows, record, row } from '@tidings/testing/fuzz'
import { responseError } from '../../packages/client/src/errors.ts'
import { isNewer } from '../../packages/client/src/event-id.ts'
import type { Http } from '../../packages/client/src/http.ts'
import { jobEventOf, MAX_FRAME, readRecord } from '../../packages/client/src/stream/frames.ts'
import { createSseParser, type Block } from '../../packages/client/src/stream/sse-parser.ts'
import { verifyWebhook, WebhookVerificationError, type VerifiedWebhook } from '../../packages/client/src/webhooks.ts'
import { ConfigError } from '../../packages/service-kit/src/config-error.ts'
import { jsonFaults } from '../../packages/service-kit/src/json-faults.ts'
import { postgresTarget } from '../../packages/service-kit/src/postgres/target.ts'
import { formatCursor, parseCursor } from '../../services/jobs-api/src/read/cursor.ts'
import { jsonValue } from '../../services/jobs-api/src/relay/mapping/json-value.ts'
import { mapEvent } from '../../services/jobs-api/src/relay/mapping/map-event.ts'
import { topLevelField } from '../../services/jobs-api/src/relay/ownership/large-job-data.ts'
import { nameOf, timeOf } from '../../services/jobs-api/src/relay/ownership/read-job-hashes.ts'
import { MalformedEntry, parseEntries } from '../../services/jobs-api/src/relay/source/bullmq-event.ts'
import { parseJson } from '../../services/realtime-gateway/src/job-lookup/parse-json.ts'
import { readSubscribe, readToken, readUnsubscribe } from '../../services/realtime-gateway/src/session/command-input.ts'
import { durationMs } from '../../services/webhook-dispatcher/src/duration.ts'
import { bodyText } from '../../services/webhook-dispatcher/src/egress/body-text.ts'
import { retryAfterMs } from '../../services/webhook-dispatcher/src/egress/retry-after.ts'
import { headerFaults } from '../../services/webhook-dispatcher/src/webhooks/custom-headers.ts'

// Every parser of data from outside, with what it may do: return what its users rely on, or throw what they expect.
// Those of the command line are in packages/cli/test/parsers.test.ts.
// What routes accept is fuzzed through the routes (fuzz.test.ts of each service, schemathesis.test.ts), tokens are in
// packages/contracts/test, addresses in packages/service-kit/test/egress.

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

const EVENT = {
  v: fc.constantFrom(1, 1, 1, 2, 0, -1),
  type: fc.constantFrom('added', 'waiting', 'active', 'progress', 'completed', 'failed', 'replaced', 'delayed', 'x'),
  queue: fc.constantFrom('default', ''),
  jobId: near('1', 'job-7'),
  name: near('csv'),
  userId: fc.constant('a'),
  timestamp: fc.constantFrom(0, 1_767_225_600_000, 1e300, -1),
  progress: json,
  result: json,
  error: near('it failed')
}

const SSE_STREAM = fc.array(fc.oneof(
  near('event: job:progress', 'data: {"a":1}', ': ping', 'id: 1-0', 'retry: 1000'),
  fc.constantFrom('', '', 'data', 'data:', 'data: ', 'data:  two', 'event:', ':')
), { maxLength: 20 }).chain(lines =>
  fc.tuple(fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(), { maxLength: 10 })).map(([end, cuts]) => {
    const text = lines.map(line => `${line}${end}`).join('')
    return { text, cuts: cuts.map(cut => cut % (text.length + 1)).toSorted((a, b) => a - b) }
  }))

/** The blocks of an event stream that comes in pieces, cut at these positions. */
function blocksOf (text: string, cuts: number[] = []): Block[] {
  const blocks: Block[] = []
  const push = createSseParser(block => { blocks.push(block) })
  for (const [n, to] of [...cuts, text.length].entries()) push(text.slice(cuts[n - 1] ?? 0, to))
  return blocks
}

const WEBHOOK_SECRET = 'whsec_c2VjcmV0IG9mIHR3ZW50eS1mb3VyIGJ5dGU='
const NOW_S = 1_767_225_600

const BULLMQ_FIELDS = fc.array(fc.oneof(
  near('event', 'jobId', 'prev', 'data', 'returnvalue', 'failedReason', 'removed', 'completed', '17', '{"a":1}')
), { maxLength: 12 })
const BULLMQ_ENTRY = fc.tuple(
  fc.constantFrom('1-0', '1767225600000-5'),
  fc.oneof(BULLMQ_FIELDS, fc.tuple(
    fc.constant('event'),
    fc.constantFrom(
      'added', 'waiting', 'active', 'progress', 'completed', 'failed', 'removed', 'delayed', 'deduplicated'
    ),
    fc.constant('jobId'), near('17'),
    fc.constantFrom('data', 'returnvalue', 'failedReason', 'delay', 'prev', 'deduplicatedJobId'), near('{"a":1}', '17')
  ))
)

const ROWS = [
  row('job-events: parseEventId', near('1767225600000-0', '0-0'), text => {
    const id = parseEventId(text)
    if (id) assert.equal(compareEventIds(id, parseEventId(formatEventId(id)) ?? assert.fail()), 0)
  }),
  row('job-events: entryOf, decode; contracts: socketMessage, webhookMessage', record(EVENT), event => {
    const entry = entryOf(['1-0', ['u', 'a', 'd', JSON.stringify(event)]])
    try {
      const decoded = decode(entry)
      for (const text of [socketMessage(decoded)?.json, webhookMessage(decoded)?.body]) if (text) JSON.parse(text)
    } catch (err) {
      assert.ok(err instanceof MalformedJobEvent || err instanceof UnsupportedJobEvent, String(err))
    }
  }),
  row('job-events: decode', near('{"v":1,"type":"progress","userId":"a","raw":true,"progress":7}'), payload => {
    const entry = { id: { ms: 1, seq: 0 }, owner: 'a', payload }
    orThrows(MalformedJobEvent, () => orThrows(UnsupportedJobEvent, () => decode(entry)))
  }),
  row('jobs-api: parseEntries, mapEvent', fc.array(BULLMQ_ENTRY, { maxLength: 5 }), raw => {
    const entries = parseEntries(raw as [string, string[]][], err => { assert.ok(err instanceof MalformedEntry) })
    for (const entry of entries) {
      const mapped = mapEvent(entry, { queue: 'default', owner: { userId: 'a', name: 'n' }, isCancelled: false })
      const event = mapped?.event
      if (!event) continue
      assert.ok(Number.isSafeInteger(event.timestamp))
      for (const text of [event.progress, event.result]) if (text !== undefined) JSON.parse(text)
      assert.ok(!event.error?.includes('\0'))
    }
  }),
  row('jobs-api: jsonValue', near('{"a":[1,2]}', 'NaN', '1152921506151679042'), text => {
    const value = jsonValue(text)
    JSON.parse(value)
    assert.doesNotMatch(value, /[\r\n]/)
  }),
  row('jobs-api: topLevelField', record({ userId: fc.oneof(fc.integer(), fc.string()), other: json }), async value => {
    const found = await topLevelField(Buffer.from(JSON.stringify(value)), 'userId')
    const { userId } = value
    if (typeof userId !== 'object' && JSON.stringify(userId ?? '').length < 500) assert.deepEqual(found, userId)
  }),
  row('jobs-api: topLevelField, of any bytes', near('{"userId":7}').map(text => Buffer.from(text)), async data => {
    await topLevelField(data, 'userId')
  }),
  row('jobs-api: timeOf, nameOf', near('1767225600000', '5'), text => {
    const time = timeOf(text)
    assert.ok(time === undefined || isCount(time))
    assert.ok(!nameOf(text).includes('\0'))
  }),
  row('jobs-api: parseCursor', near(formatCursor({ key: 5, n: 6, page: 2, order: 'arrival' })), text => {
    const cursor = parseCursor(text)
    if (cursor) assert.ok([cursor.key, cursor.n, cursor.page].every(isCount))
  }),
  row('contracts: decodeFoundJobs', near(encodeFoundJobs(['{"id":1}', undefined]).toString()), text => {
    const found = orThrows(TypeError, () => decodeFoundJobs(Buffer.from(text)))
    assert.ok(found === undefined || found.every(job => typeof job === 'string'))
  }),
  row('contracts: userIdText, renderUserId', fc.oneof(json, near('ada', '7', '-0', '9007199254740993')), claim => {
    const user = userIdText(claim)
    if (user === undefined) return
    assert.ok(user.length > 0 && user.length <= 256 && user.isWellFormed())
    assert.equal(userIdText(renderUserId(user)), user, 'what clients see is the same user')
  }),
  row('service-kit: notBeforeOf', near('1767225600', 'soon'), text => { assert.ok(isCount(notBeforeOf(text))) }),
  row('service-kit: readOrigins', near('https://a.example,http://b.example:81', 'capacitor://localhost', '*'), text => {
    const { origins, faults } = readOrigins(text)
    assert.ok([...origins, ...faults].every(one => one !== ''))
    for (const origin of origins) assert.deepEqual(readOrigins(origin).origins, [origin], 'as browsers send it')
  }),
  row('service-kit: readConfig', record({
    TOKEN_SECRET: near('s'.repeat(40)),
    PORT: near('80'),
    NODE_ENV: near('production'),
    LOG_LEVEL: near('info'),
    JWKS_URL: near('https://a.example/keys'),
    CORS_ORIGIN: near('https://a.example'),
    TRUST_PROXY: near('true', '10.0.0.0/8')
  }), settings => {
    const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
    orThrows(ConfigError, () => readConfig(CommonConfig, env))
  }, 20), // each compiles the schema
  row('service-kit: jsonFaults', json.map(value => JSON.stringify(value)), text => {
    assert.ok(jsonFaults(text).length <= 20)
  }),
  row('service-kit: postgresTarget', near(
    'postgres://user:p%40ss@db.example:5432/jobs?sslmode=require', 'postgresql:///jobs?host=/run/postgresql'
  ), url => {
    const { options, faults } = postgresTarget(url, {})
    assert.ok(options !== undefined && faults.every(fault => !fault.includes('p%40ss')), 'no password is shown')
  }),
  row('service-kit: redisTarget', near('redis://user:pass@a:6379,b:6380/0', 'rediss+sentinel://a/mymaster/1'), url => {
    const { nodes, db, faults } = redisTarget(url)
    assert.ok(faults.length > 0 || (isCount(db) && nodes.every(({ port }) => port > 0 && port < 65536)))
  }),
  row('service-kit: targetOf', near('https://a.example/b?c#d', 'http://127.0.0.1/', 'http://[::ffff:10.0.0.1]/'), text => {
    const target = targetOf(text, { allowPrivate: false, requireHttps: false } as EgressRules)
    if (target.fault !== undefined) return
    const { protocol, username, hostname } = target.url
    assert.ok(/^https?:$/.test(protocol) && username === '' && hostname !== '127.0.0.1')
  }),
  row('gateway: readSubscribe, readUnsubscribe', fc.oneof(json, record({
    jobId: fc.oneof(near('7'), fc.integer()), queue: near('default'), lastEventId: near('1-0')
  })), data => {
    const read = readSubscribe(data)
    if ('input' in read) assert.ok(read.input.jobId.length > 0 && read.input.jobId.length <= 256)
    assert.ok('input' in readUnsubscribe(data) || 'fault' in readUnsubscribe(data))
  }),
  row('gateway: readToken', fc.oneof(json, near('Bearer a.b.c'), record({ token: near('a.b.c') })), data => {
    const read = readToken(data)
    assert.ok('fault' in read || (read.input.length > 0 && read.input.length <= 16 * 1024))
  }),
  row('gateway: parseJson', json.map(value => JSON.stringify(value)), text => {
    assert.deepEqual(JSON.parse(JSON.stringify(parseJson(text))), JSON.parse(text))
  }),
  row('client: createSseParser', SSE_STREAM, ({ text, cuts }) => {
    const blocks = blocksOf(text, cuts)
    assert.deepEqual(blocks, blocksOf(text), 'wherever the pieces are cut')
    assert.ok(blocks.every(({ event }) => !event.includes('\n')))
    assert.ok(blocks.every(({ retryMs }) => retryMs === undefined || isCount(retryMs)))
  }),
  row('client: createSseParser, of any text', fc.array(fc.oneof(
    near('data: {"a":1}\n\n'), fc.constantFrom('\n', '\r', '\r\n', 'x'.repeat(MAX_FRAME / 2))
  ), { maxLength: 8 }), pieces => {
    const push = createSseParser(({ data }) => { assert.ok(data.length <= MAX_FRAME * 2) })
    orThrows(RangeError, () => { for (const piece of pieces) push(piece) })
  }, 50),
  row('client: readRecord, jobEventOf', fc.tuple(fc.oneof(
    near('job:progress', 'job:completed', 'job:failed', 'job:state'), fc.constantFrom('__proto__', 'job:constructor')
  ), record({
    eventId: near('1767225600000-0'),
    jobId: near('1'),
    name: near('csv'),
    queue: near('default'),
    userId: fc.integer(),
    timestamp: fc.constantFrom(1, 1e300),
    progress: json,
    result: json,
    error: near('it failed'),
    state: near('active', 'waiting')
  })), ([event, fields]) => {
    const data = readRecord({ parse: JSON.parse } as Http, JSON.stringify(fields)) ?? assert.fail()
    const item = jobEventOf({ event, data, size: 0 })
    if (!item) return
    assert.ok([item.eventId, item.jobId, item.name].every(text => typeof text === 'string'))
    assert.ok(isNewer(item.eventId, undefined) && !isNewer(item.eventId, item.eventId))
  }),
  row('client: readRecord, of any text', near('{"event":"job:progress","data":{}}', '[]', 'null'), text => {
    const value = readRecord({ parse: JSON.parse } as Http, text)
    assert.ok(value === undefined || (typeof value === 'object' && !Array.isArray(value)))
  }),
  row('client: responseError', fc.tuple(
    fc.integer({ min: 200, max: 599 }), near('120', 'Wed, 21 Oct 2026 07:28:00 GMT', '1e400'),
    fc.oneof(json, record({ title: near('Nope'), detail: near('later') }))
  ), ([status, retryAfter, body]) => {
    const headers = { get: () => retryAfter } as unknown as Headers
    // A TypeError for a detail that cannot become text: a request then fails as one without a response.
    const { retryAfterMs, message = '' } = orThrows(TypeError, () => responseError(status, headers, body)) ?? {}
    assert.ok(message === '' || message.startsWith(`HTTP ${status}`))
    assert.ok(retryAfterMs === undefined || (retryAfterMs > 0 && retryAfterMs <= 86_400_000))
  }),
  row('client: verifyWebhook', fc.tuple(
    near('{"id":"1","eventType":"completed","result":1}'),
    fc.record({
      'webhook-id': near('1767225600000-0'),
      'webhook-timestamp': near(String(NOW_S)),
      'webhook-signature': fc.oneof(near('v1,AAAA v1,BBBB'), fc.array(near('v1,AAAA'))),
      'webhook-attempt': near('2')
    }, { requiredKeys: [] }),
    near(WEBHOOK_SECRET)
  ), async ([body, headers, secret]) => {
    const err = await verifyWebhook(body, headers, secret, { now: new Date(NOW_S * 1000) })
      .then(() => 'verified', (err: unknown) => err)
    assert.ok(err instanceof WebhookVerificationError, String(err))
  }),
  row('client: verifyWebhook, signed', fc.tuple(
    fc.oneof(json.map(value => JSON.stringify(value)), near('{"id":"1"}')), near('1767225600000-0', 'id'), near('2')
  ), async ([body, id, attempt]) => {
    const signature = createHmac('sha256', Buffer.from(WEBHOOK_SECRET.slice('whsec_'.length), 'base64'))
      .update(`${id}.${NOW_S}.`).update(body).digest('base64')
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(NOW_S),
      'webhook-signature': `v1,${signature}`,
      'webhook-attempt': attempt
    }
    const verified = await verifyWebhook(body, headers, WEBHOOK_SECRET, { now: new Date(NOW_S * 1000) })
      .catch((err: unknown) => err)
    if (verified instanceof WebhookVerificationError) {
      return assert.equal(verified.code, id === '' ? 'missing_header' : 'invalid_body')
    }
    const { eventId, payload, attempt: number } = verified as VerifiedWebhook
    assert.equal(eventId, id)
    assert.deepEqual(payload, JSON.parse(new TextDecoder().decode(Buffer.from(body))))
    assert.ok(isCount(number) && number > 0)
  }),
  row('dispatcher: durationMs', near('250ms', '5d', '0'), text => {
    const ms = orThrows(TypeError, () => durationMs(text))
    assert.ok(ms === undefined || isCount(ms))
  }),
  row('dispatcher: retryAfterMs', fc.tuple(
    near('120', 'Wed, 21 Oct 2026 07:28:00 GMT'), near('Wed, 21 Oct 2026 07:28:00 GMT')
  ), ([header, date]) => {
    const ms = retryAfterMs(header, { date })
    assert.ok(ms === undefined || isCount(ms))
  }),
  row('dispatcher: headerFaults', fc.dictionary(near('x-key'), near('value')), headers => {
    if (headerFaults(headers).length === 0) assert.doesNotThrow(() => new Headers(headers))
  }),
  row('dispatcher: bodyText', fc.tuple(
    fc.uint8Array({ maxLength: 200 }), near('gzip', 'br', 'deflate', 'zstd'), near('text/html; charset=utf-16')
  ), async ([bytes, encoding, contentType]) => {
    const text = await bodyText(Buffer.from(bytes), { encoding, contentType })
    assert.ok(text.isWellFormed() && !text.includes('\0'))
  })
]

await fuzzParsers(t, ROWS)

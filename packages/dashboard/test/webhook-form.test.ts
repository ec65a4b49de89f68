import t from 'tap'
import { TidingsError, type Webhook } from 'tidings'
import { faultsIn, faultsOf, inputOf, NEW_VALUES, valuesOf } from '../src/webhooks/form-values.ts'
import { DRAFT_FILTER } from '../src/webhooks/draft.ts'
import { explainDisabled, filterText } from '../src/webhooks/webhook-words.ts'

const WEBHOOK: Webhook = {
  id: 1,
  url: 'https://example.com/hook',
  description: null,
  eventType: 'all',
  eventTypes: ['progress', 'completed', 'failed'],
  filter: { queues: ['a', 'b'], names: ['x'] },
  headers: { 'x-key': '••••' },
  progressMode: 'latest',
  active: true,
  status: 'active',
  disabledReason: null,
  health: { circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null },
  createdAt: '2026-11-28T10:00:00.000Z',
  updatedAt: '2026-11-28T10:00:00.000Z'
}

t.test('a form that was not changed sends what the webhook has', async t => {
  const { url, description, eventTypes, filter, headers, progressMode } = WEBHOOK
  t.same(inputOf(valuesOf(WEBHOOK)), { url, description, eventTypes, filter, headers, progressMode })
  t.same(inputOf(valuesOf({ ...WEBHOOK, filter: DRAFT_FILTER })).filter, {}, 'a draft that is saved is none any more')
})

t.test('lists take lines and commas, and empty ones limit nothing', async t => {
  t.same(inputOf({ ...NEW_VALUES, names: ' a, b\n\na ', queues: ' ' }).filter, { names: ['a', 'b'] })
})

t.test('faults stand at their fields', async t => {
  t.same(Object.keys(faultsOf({ ...NEW_VALUES, url: 'javascript:x', eventTypes: [] })), ['url', 'eventTypes'])
  t.same(faultsOf({ ...NEW_VALUES, url: ' https://example.com ' }), {})
  const errors = [
    { path: 'body.url', message: 'must be a public address' },
    { path: 'body.filter.names.0', message: 'must not be empty' },
    { path: 'body.headers.host', message: 'is reserved' }
  ]
  const refused = new TidingsError('invalid_request', 'HTTP 400', { status: 400, problem: { errors } })
  t.same(faultsIn(refused), {
    url: 'It must be a public address', names: '0 must not be empty', headers: 'host is reserved'
  })
  t.equal(faultsIn(new TidingsError('network', 'lost')), undefined)
})

t.test('reasons and filters are said in words', async t => {
  t.match(explainDisabled('The endpoint answered 410 Gone').title, 'said that it is gone')
  t.match(explainDisabled('Every attempt of the last 5 days failed').title, 'Disabled: every attempt of the')
  t.equal(explainDisabled(null).title, 'Disabled')
  t.equal(filterText(WEBHOOK), 'jobs named x in the queues a or b')
  t.equal(filterText({ filter: { names: ['a', 'b', 'c', 'd', 'e'] } }), 'jobs named a, b, c and 2 more')
  t.equal(filterText({ filter: {} }), 'all jobs')
})

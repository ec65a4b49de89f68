import fc from 'fast-check'
import t from 'tap'
import { setup } from './setup.ts'

const { call } = await setup(t, { RATE_LIMIT_MAX: '1000000', WEBHOOK_MAX_PER_USER: '10000' })

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('all', 'completed', 'https://example.com/', '\0', '\ud800', 'http://[::1]/', '2024-01-01T00:00:00Z', '1-1'))
const anything = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue())
const webhook = fc.record({
  url: fc.oneof(fc.webUrl(), anything),
  eventType: fc.oneof(fc.constantFrom('all', 'progress', 'completed', 'failed'), anything),
  description: anything,
  active: anything,
  headers: fc.oneof(fc.dictionary(text, text), anything),
  progressMode: fc.oneof(fc.constantFrom('all', 'latest'), anything)
}, { requiredKeys: [] })
const valid = { url: 'https://example.com/', eventType: 'all' as const }

/** The answers are checked against the OpenAPI document by `setup`: what is not documented is a 500. */
const isAnswered = async (answer: Promise<{ status: number }>) => (await answer).status < 500

t.test('whatever is sent, the answer is one that the document tells of', async t => {
  const { body: { id } } = await call('/webhooks', { method: 'POST', body: valid })
  const property = fc.asyncProperty(webhook, anything, fc.oneof(fc.nat().map(String), fc.string()), async (input, other, param) => {
    const path = encodeURIComponent(param)
    const answers = [
      call('/webhooks', { method: 'POST', body: input }),
      call('/webhooks', { method: 'POST', body: { ...valid, ...input, url: valid.url } }),
      call(`/webhooks/${id}`, { method: 'PUT', body: input }),
      call(`/webhooks/${id}`, { method: 'PUT', body: other }),
      call('/webhooks/legacy', { method: 'PUT', body: { webhookUrl: other } }),
      call(`/webhooks/${id}/replay`, { method: 'POST', body: { since: other } }),
      call(`/webhooks/${id}/deliveries?cursor=${path}&limit=${path}&status=${path}`),
      call(`/webhooks/${id}/replays/${path}`),
      call(`/deliveries/${path}`),
      call(`/deliveries/${path}/redeliver`, { method: 'POST' })
    ]
    return (await Promise.all(answers.map(isAnswered))).every(Boolean)
  })
  await fc.assert(property, { numRuns: 150 })
  t.pass()
})

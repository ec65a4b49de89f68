import type { TestContext } from '@tidings/testing'
import { createAttempter, type AttempterOptions, type AttemptRequest } from '../../src/egress/attempt.ts'

const LOCAL: AttempterOptions = { allowPrivate: true, requireHttps: false }

/** Posts a webhook of a test's own, to local addresses too. */
export function attempter (t: TestContext, options: Partial<AttempterOptions> = {}) {
  const attempt = createAttempter({ ...LOCAL, ...options })
  t.teardown(() => attempt.close())
  return (url: string, request: Partial<AttemptRequest> = {}) => attempt({
    url, headers: { 'content-type': 'application/json' }, body: '{"id":"123"}', timeoutMs: 10_000, ...request
  })
}

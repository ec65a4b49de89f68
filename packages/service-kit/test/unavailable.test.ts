import Fastify from 'fastify'
import t from 'tap'
import { invalidInput, orUnavailable, problems, unavailable } from '../src/index.ts'

async function answerTo (err: Error) {
  const app = Fastify().register(problems)
  app.get('/', async () => { throw err })
  const { statusCode, headers, body } = await app.inject('/')
  await app.close()
  return {
    statusCode, retryAfter: headers['retry-after'], problem: JSON.parse(body) as { detail: string, errors?: unknown }
  }
}

t.test('an unavailable dependency answers 503 with Retry-After, and does not show its cause', async t => {
  const { statusCode, retryAfter, problem } = await answerTo(
    unavailable(undefined, new Error('connect ECONNREFUSED 10.0.0.1'))
  )
  t.equal(statusCode, 503)
  t.equal(retryAfter, '1')
  t.equal(problem.detail, 'A dependency is unavailable; try again')
  t.match((await answerTo(unavailable('The job cannot be read now; try again'))).problem, {
    detail: 'The job cannot be read now; try again'
  })
})

t.test('any rejection of a dependency becomes unavailable, with the rejection as its cause', async t => {
  const cause = new Error('Connection is closed.')
  await t.rejects(orUnavailable(Promise.reject(cause)), { statusCode: 503, cause })
  t.equal(await orUnavailable(Promise.resolve(1)), 1)
})

t.test('invalid input answers 400 with each fault and its path', async t => {
  const faults = [{ path: 'body.url', message: 'must be a URL' }]
  const { statusCode, problem } = await answerTo(invalidInput(faults))
  t.equal(statusCode, 400)
  t.match(problem, { type: 'urn:tidings:problem:invalid-input', detail: 'The request is not valid', errors: faults })
})

import Fastify from 'fastify'
import t from 'tap'
import { Type } from 'typebox'
import { problems, validatorCompiler } from '../src/index.ts'

const app = Fastify().setValidatorCompiler(validatorCompiler)
app.register(problems)
app.register(async app => {
  app.get('/things/:id', {
    schema: {
      params: Type.Object({ id: Type.Integer({ minimum: -5, maximum: Number.MAX_SAFE_INTEGER }) }),
      querystring: Type.Object(
        { page: Type.Optional(Type.Integer()), name: Type.Optional(Type.String()) }, { additionalProperties: false }
      ),
      headers: Type.Object({ 'x-count': Type.Optional(Type.Integer()) })
    }
  }, async ({ params, query, headers }) => ({ params, query, count: headers['x-count'] }))
  app.post('/lists', { schema: { body: Type.Object({ sizes: Type.Array(Type.Integer()) }) } }, async ({ body }) => body)
  app.post('/filters', {
    schema: {
      querystring: Type.Object({
        page: Type.Optional(Type.Integer()), name: Type.Optional(Type.String({ minLength: 1 }))
      })
    }
  }, async ({ query }) => query)
  app.post('/things', { schema: { body: Type.Object({ size: Type.Integer() }) } }, async ({ body }) => body)
})
t.teardown(() => app.close())

const NO_INTEGERS = [
  '1.5', '1.0', '1e3', '0x10', '0b1', ' 1', '1 ', '1_000', '+1', '--1', '-', 'x', 'NaN', 'Infinity', 'true', 'null',
  '1,2', '١'
]

t.test('digits in a path, a query and headers are parsed as an integer', async t => {
  const answer = await app.inject({ url: '/things/-5?page=12&name=7', headers: { 'x-count': '3' } })
  t.same(
    answer.json(), { params: { id: -5 }, query: { page: 12, name: '7' }, count: 3 },
    'and as a text where a text is meant'
  )
  t.same((await app.inject('/things/007')).json().params, { id: 7 })
})

t.test('any other text is refused with its field', async t => {
  for (const text of NO_INTEGERS) {
    const encoded = encodeURIComponent(text)
    t.match(
      (await app.inject(`/things/1?page=${encoded}`)).json(),
      { status: 400, errors: [{ path: 'querystring.page', message: 'must be integer' }] }, `page=${text}`
    )
    t.match(
      (await app.inject(`/things/${encoded}`)).json(),
      { status: 400, errors: [{ path: 'params.id', message: 'must be integer' }] }, `/things/${text}`
    )
  }
  t.match(
    (await app.inject('/things/1?page=1&page=2')).json(), { status: 400, errors: [{ path: 'querystring.page' }] },
    'twice'
  )
  t.match((await app.inject({ url: '/things/1', headers: { 'x-count': '1.5' } })).json(), {
    status: 400, errors: [{ path: 'headers.x-count' }]
  })
})

t.test('a parameter without a value is left out where a request only reads, and a fault elsewhere', async t => {
  t.same((await app.inject('/things/1?page=&name=')).json().query, {})
  t.same((await app.inject('/things/1?page=&name=x')).json().query, { name: 'x' })
  t.equal((await app.inject({ method: 'HEAD', url: '/things/1?page=' })).statusCode, 200)
  for (const query of ['colour=', 'page=&page=', 'page=+']) {
    t.equal((await app.inject(`/things/1?${query}`)).statusCode, 400, query)
  }
  const { errors } = (await app.inject({ method: 'POST', url: '/filters?page=&name=' })).json<{ errors: object[] }>()
  t.match(errors, [{ path: 'querystring.page' }, { path: 'querystring.name' }])
})

t.test('an integer that no number can represent is not rounded to another', async t => {
  for (const id of ['9007199254740993', '99999999999999999999999']) {
    t.match((await app.inject(`/things/${id}`)).json(), { status: 400, errors: [{ path: 'params.id' }] }, id)
  }
})

t.test('every fault of a long list is reported, up to a bound', async t => {
  const faultsIn = async (sizes: unknown[]) => (await app.inject(
    { method: 'POST', url: '/lists', payload: { sizes } }
  )).json<{ errors: { path: string }[] }>().errors
  const sizes = Array.from({ length: 1000 }, (_, i) => i % 2 === 0 ? i : 'x')
  t.same((await faultsIn(sizes)).map(({ path }) => path), sizes.flatMap((size, i) =>
    size === 'x' ? [`body.sizes.${i}`] : []))
  t.equal((await faultsIn(Array.from({ length: 20_000 }, () => 'x'))).length, 1000)
  t.match(await faultsIn([...Array.from({ length: 30_000 }, () => 1), 'x']), [
    { path: 'body', message: /beyond its first 20,000 values/ }
  ])
})

t.test('a bounded part of a huge input is searched for faults', async t => {
  const unknown = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`field-${i}`, { deep: [i] }]))
  const schema = Type.Object(
    { jobs: Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: false }), { maxItems: 3 }) }
  )
  const read: Record<string, number> = {}
  const watched = (label: string, value: object) => new Proxy(value, {
    get (target, name, receiver) {
      read[label] = (read[label] ?? 0) + 1
      return Reflect.get(target, name, receiver)
    }
  })
  const validate = validatorCompiler({ schema, method: 'POST', url: '/', httpPart: 'body' })
  const faults = (value: unknown) => {
    const { error } = validate(value) as unknown as { error: { instancePath: string, message: string }[] }
    return error
  }

  const inOne = faults({ jobs: [watched('fields', { ...unknown, name: 'last' })] })
  t.ok(inOne.length > 0)
  t.notOk(inOne.some(({ message }) => /required/.test(message)), 'a field that is there is not reported as missing')
  t.ok((read.fields ?? 0) < 5000, `${read.fields} fields were read`)

  t.match(faults({ jobs: watched('items', Array.from({ length: 100_000 }, () => ({ name: 'a' }))) }), [
    { instancePath: '/jobs', message: /3 items/ }
  ])
  t.ok((read.items ?? 0) < 105_000, `the check reads each item once, and the search for faults few: ${read.items}`)
})

t.test('texts in a body are not converted', async t => {
  t.equal((await app.inject({ method: 'POST', url: '/things', payload: { size: '3' } })).statusCode, 400)
  t.same((await app.inject({ method: 'POST', url: '/things', payload: { size: 3 } })).json(), { size: 3 })
})

t.test('a list in a query is separated by commas, repeated, or both', async t => {
  const app = Fastify().setValidatorCompiler(validatorCompiler)
  app.register(problems)
  app.register(async app => {
    const querystring = Type.Object(
      { kinds: Type.Optional(Type.Array(Type.Enum(['a', 'b', 'c']), { maxItems: 4 })) }, { additionalProperties: false }
    )
    app.get('/', { schema: { querystring } }, async ({ query }) => query)
  })
  t.teardown(() => app.close())
  const ask = async (query: string) => (await app.inject(`/?${query}`)).json()
  for (const query of ['kinds=a,b', 'kinds=a&kinds=b', 'kinds=a%2Cb', 'kinds=,a,,b,', 'kinds=&kinds=a&kinds=b']) {
    t.same(await ask(query), { kinds: ['a', 'b'] }, query)
  }
  t.same(await ask('kinds=a,b&kinds=c'), { kinds: ['a', 'b', 'c'] })
  for (const query of ['', 'kinds=', 'kinds=,', 'kinds=&kinds=']) t.same(await ask(query), {}, `nothing in "${query}"`)
  for (const query of ['kinds=d', 'kinds=a,d', 'kinds=d,e', 'kinds=a,b,c,a,b']) {
    const { status, errors } = await ask(query)
    t.equal(status, 400, query)
    t.same(errors.map(({ path }: { path: string }) => path), ['querystring.kinds'], 'one fault, of the list')
  }
})

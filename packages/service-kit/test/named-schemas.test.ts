import Fastify from 'fastify'
import t from 'tap'
import { Type, type TSchema } from 'typebox'
import { docs, problemResponses, problems, validatorCompiler } from '../src/index.ts'

const Colour = Type.Enum(['red', 'blue'], { $id: 'Colour' })
const Car = Type.Object(
  { colour: Colour, $id: Type.Optional(Type.String()), labels: Type.Record(Type.String(), Type.String()) },
  {
    $id: 'Car',
    description: 'A car',
    additionalProperties: false,
    examples: [{ colour: 'red', labels: { enum: 'x' } }]
  }
)
const Cars = Type.Object({ cars: Type.Array(Car) }, { $id: 'Cars' })

async function service (routes: Record<string, { body?: TSchema, response: TSchema, hide?: boolean }>) {
  const app = Fastify().setValidatorCompiler(validatorCompiler)
  app.register(problems).register(docs, { title: 't', description: 'd', version: '1', tags: { cars: 'Cars' } })
  app.register(async app => {
    for (const [path, { body, response, hide = false }] of Object.entries(routes)) {
      app.post(path, {
        schema: { hide, ...(body && { body }), response: { 200: response, ...problemResponses() } }
      }, async request => request.body)
    }
  })
  await app.ready()
  return app
}

t.test('a schema with an $id is in the document once, under its name', async t => {
  const app = await service({ '/cars': { body: Cars, response: Cars }, '/car': { body: Car, response: Car } })
  t.teardown(() => app.close())
  const { components, paths, servers, tags } = JSON.parse((await app.inject('/openapi.json')).body)

  t.same(Object.keys(components.schemas), ['Car', 'Cars', 'Colour', 'Problem'])
  t.same(components.schemas.Cars, {
    type: 'object',
    required: ['cars'],
    properties: { cars: { type: 'array', items: { $ref: '#/components/schemas/Car' } } }
  })
  t.same(components.schemas.Car, {
    type: 'object',
    required: ['colour', 'labels'],
    properties: {
      colour: { $ref: '#/components/schemas/Colour' },
      $id: { type: 'string' },
      labels: { type: 'object', additionalProperties: { type: 'string' } }
    },
    description: 'A car',
    additionalProperties: false,
    examples: [{ colour: 'red', labels: { enum: 'x' } }]
  })
  const media = { schema: { $ref: '#/components/schemas/Car' }, example: { colour: 'red', labels: { enum: 'x' } } }
  const { requestBody, responses } = paths['/car'].post
  t.same(requestBody.content['application/json'], media)
  t.same(responses['200'], { description: 'A car', content: { 'application/json': media } })
  t.same(responses['400'].content['application/problem+json'], { schema: { $ref: '#/components/schemas/Problem' } })
  t.same([servers[0].url, tags], ['/', [{ name: 'cars', description: 'Cars' }]])
})

t.test('names change nothing in what a service takes and returns', async t => {
  const app = await service({ '/cars': { body: Cars, response: Cars } })
  t.teardown(() => app.close())
  const ask = async (payload: object) => (await app.inject({ method: 'POST', url: '/cars', payload })).json()

  const valid = { cars: [{ colour: 'red', labels: { a: 'b' } }, { colour: 'blue', labels: {} }] }
  t.same(await ask(valid), valid)
  t.same((await ask({ cars: [{ colour: 'green', labels: { a: 1 }, wheels: 4 }, {}] })).errors, [
    { path: 'body.cars.0.wheels', message: 'unknown: wheels' },
    { path: 'body.cars.0.colour', message: 'must be equal to one of the allowed values: red, blue' },
    { path: 'body.cars.0.labels.a', message: 'must be string' },
    { path: 'body.cars.1', message: 'lacks colour, labels' }
  ])
})

t.test('two different schemas cannot have the same name', async t => {
  const Other = Type.Object({ colour: Type.String() }, { $id: 'Car' })
  const app = await service({ '/cars': { response: Cars }, '/car': { response: Other } })
  t.teardown(() => app.close())
  t.throws(() => app.swagger(), { message: /Two different schemas have the \$id Car/ })
})

t.test('schemas of hidden routes are not in the document', async t => {
  const app = await service({ '/cars': { response: Cars, hide: true } })
  t.teardown(() => app.close())
  t.same(Object.keys((app.swagger() as { components: { schemas: object } }).components.schemas), [])
})

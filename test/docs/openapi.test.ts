import t from 'tap'
import { read } from './pages.ts'

const SERVICES = ['jobs-api', 'realtime-gateway', 'webhook-dispatcher']

type Schema = { $ref?: string, anyOf?: Schema[], type?: string }
type Media = { schema: Schema, example?: unknown, examples?: object }
type Operation = {
  operationId: string
  tags?: string[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
}
type Document = {
  servers: { url: string }[]
  tags: { name: string, description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

const documents = SERVICES.map(service => ({
  service, document: JSON.parse(read(`docs/openapi/${service}.json`)) as Document
}))
const operations = documents.flatMap(({ document: { paths } }) => Object.values(paths).flatMap(path =>
  Object.entries(path).map(([method, operation]) => ({ method, ...operation }))))

/** What an operation takes and returns. */
const contentsOf = ({ requestBody, responses }: Operation) =>
  [['request', requestBody?.content ?? {}], ...Object.entries(responses).map(([status, { content = {} }]) =>
    [status, content] as const)] as [string, Record<string, Media>][]

const isNamed = ({ $ref, anyOf }: Schema): boolean => anyOf ? anyOf.every(isNamed) : $ref !== undefined

t.test('every body that is JSON is a named schema: CONTRIBUTING.md says how', async t => {
  for (const operation of operations) {
    for (const [place, content] of contentsOf(operation)) {
      for (const [type, { schema }] of Object.entries(content)) {
        if (!type.includes('json')) continue
        t.ok(isNamed(schema), `${operation.operationId} ${place}`)
      }
    }
  }
})

t.test('a name means the same in every document', async t => {
  const seen = new Map<string, object>()
  for (const { service, document } of documents) {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      t.match(name, /^[A-Z][A-Za-z]+$/)
      if (seen.has(name)) t.same(schema, seen.get(name), `${name} of ${service}`)
      else seen.set(name, schema)
    }
  }
})

t.test('every request body and every successful response has an example: test/examples.test.ts sends them', async t => {
  for (const operation of operations) {
    for (const [place, content] of contentsOf(operation)) {
      if (place !== 'request' && !place.startsWith('2')) continue
      for (const media of Object.values(content)) {
        t.ok(media.example !== undefined || media.examples !== undefined, `${operation.operationId} ${place}`)
      }
    }
  }
})

t.test('an integer says how large it may be: of 32 bits, or int64', async t => {
  const INT32_MAX = 2 ** 31 - 1
  const integers: { path: string, format?: unknown, maximum?: number }[] = []
  function collect (value: unknown, path: string) {
    if (typeof value !== 'object' || value === null) return
    const { type } = value as { type?: unknown }
    if ([type].flat().includes('integer')) integers.push({ ...value, path })
    for (const [key, part] of Object.entries(value)) if (!/^examples?$/.test(key)) collect(part, `${path}/${key}`)
  }
  for (const { service, document } of documents) collect(document, service)
  t.ok(integers.length > 200, `${integers.length}`)
  for (const { path, format, maximum = Infinity } of integers) {
    t.ok(format === 'int64' ? maximum > INT32_MAX : format === 'int32' || maximum <= INT32_MAX, path)
  }
  const formatsOf = (end: string) =>
    new Set(integers.filter(({ path }) => path.endsWith(end)).map(({ format }) => format))
  for (const end of ['/Delivery/properties/id', '/pagination/properties/total', '/properties/matched', '/created']) {
    t.same(formatsOf(end), new Set(['int64']), end)
  }
  t.same(formatsOf('/Attempt/properties/attempt'), new Set(['int32']))
})

t.test('each tag is described, and there is a server', async t => {
  for (const { service, document: { servers, tags, paths } } of documents) {
    t.equal(servers[0]?.url, '/', service)
    const used = Object.values(paths).flatMap(path => Object.values(path).flatMap(({ tags = [] }) => tags))
    t.same(tags.map(({ name }) => name).toSorted(), [...new Set(used)].toSorted(), service)
    for (const { name, description } of tags) t.ok(description, name)
  }
})

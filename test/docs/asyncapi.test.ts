import specs from '@asyncapi/specs'
import { Ajv } from 'ajv'
import t from 'tap'
import { asyncApiDocument, type AsyncApiDocument } from '@tidings/contracts/asyncapi'
import { matches, withoutReferences } from '@tidings/testing/fuzz'
import { filesOf, read } from './pages.ts'

const document = JSON.parse(read('docs/asyncapi.json')) as AsyncApiDocument

t.test('docs/asyncapi.json is that of packages/contracts (pnpm asyncapi writes it there)', async t => {
  const { version } = JSON.parse(read('packages/contracts/package.json')) as { version: string }
  t.same(document, JSON.parse(JSON.stringify(asyncApiDocument(version))))
})

t.test('it is a valid AsyncAPI 3.0 document', async t => {
  const schema: object = specs.schemasWithoutId['3.0.0']
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)
  t.equal(validate(document), true, JSON.stringify(validate.errors?.slice(0, 5)))
})

t.test('every message has an example that its schema accepts', async t => {
  const { components: { messages } } = withoutReferences(document) as AsyncApiDocument
  for (const [id, { examples, payload }] of Object.entries(messages)) {
    t.equal(examples.length, 1, id)
    for (const example of examples) t.ok(matches(payload, example.payload), `${id}: ${JSON.stringify(example.payload)}`)
  }
})

t.test('every event that the gateway sends is in it', async t => {
  const { components: { messages } } = document
  const names = new Set(Object.values(messages).map(({ name }) => name))
  const sent = filesOf(['services/realtime-gateway/src/**/*.ts']).flatMap(file =>
    [...read(file).matchAll(/\b(?:send|Frame) ?\(\s*'([a-z:-]+)'/g)].map(([, name]) => name as string))
  t.ok(sent.length > 10)
  t.same(sent.filter(name => !names.has(name)), [])
})

import t from 'tap'
import { ATTEMPT_ERROR_CLASSES, SessionEndPayload } from '@tidings/contracts'
import { filesOf, firstCells, read } from './pages.ts'

const page = read('docs/errors.md')
const sources = filesOf([
  'services/*/src/**/*.ts',
  'packages/{contracts,service-kit,job-events}/src/**/*.ts',
  'infra/local/src/edge/**/*.ts'
])
const gateway = sources.filter(path => path.startsWith('services/realtime-gateway/'))

t.test('docs/errors.md lists the type of every problem, and no other', async t => {
  const constants = found(
    sources,
    /(?:createError(?:<[^>]*>)?|titled)\(\s*(?:\d+, )?'([A-Z_0-9]+)'/g,
    /err\.code \?\? '([A-Z_]+)'/g
  )
  const raw = found(sources, /\bcode: '([a-z-]+)'/g)
  const codes = [...constants.map(code => code.toLowerCase().replaceAll('_', '-')), 'internal-error', ...raw]
  t.same(listed('## Problems'), sorted(codes))
})

t.test('docs/errors.md lists every code of a connect error, and no other', async t => {
  const [, faults = ''] = /type TokenFault = (.*)/.exec(read('packages/contracts/src/jwt/verifier.ts')) ?? []
  const codes = [...faults.matchAll(/'(\w+)'/g)].map(match => match[1] as string)
  t.same(listed('## Connect errors'), sorted([...codes, ...found(gateway, /withCode\('[^']+', '(\w+)'[,)]/g)]))
})

t.test('docs/errors.md lists every error of an ack, and no other', async t => {
  const errors = found(
    gateway,
    /\berror: '([^']+)'/g,
    /\b(?:refusal|refused)\('([^']+)'\)/g,
    /\? '([a-z ]+)' : 'unavailable'/g
  )
  t.same(listed('## Socket acks'), sorted(errors))
})

t.test('docs/errors.md lists every reason for which a session ends, and no other', async t => {
  const { properties: { reason } } = SessionEndPayload
  t.same(listed('## Session ends'), sorted((reason as unknown as { enum: string[] }).enum))
})

t.test('docs/errors.md lists every class of a failed attempt, and no other', async t => {
  t.same(listed('## Delivery errors'), sorted([...ATTEMPT_ERROR_CLASSES]))
})

function listed (heading: string): string[] {
  return sorted(firstCells(page, heading))
}

function found (paths: string[], ...patterns: RegExp[]): string[] {
  return paths.flatMap(
    path => patterns.flatMap(pattern => [...read(path).matchAll(pattern)].map(match => match[1] as string))
  )
}

function sorted (texts: string[]): string[] {
  return [...new Set(texts)].toSorted()
}

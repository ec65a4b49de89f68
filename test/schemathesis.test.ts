import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { temporaryFolder } from '@tidings/testing'
import { pythonTool } from './edges/python-tool.ts'
import { startTestSystem } from './system.ts'

const schemathesis = process.env.TIDINGS_TEST_SCHEMATHESIS ?? pythonTool('schemathesis')
const skip = schemathesis === undefined && 'no schemathesis: TIDINGS_TEST_PYTHON=true npm test installs it'

// Lifts the limits per client, which requests at this rate reach at once.
const UNBOUNDED = { RATE_LIMIT_MAX: '1000000', REALTIME_CONNECTS_PER_SECOND: '100000', REALTIME_UNKNOWN_JOB_MS: '200' }
/** The run takes some twenty seconds on an idle machine. */
const TIMEOUT_MS = 240_000
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method'
]

t.test('requests generated from the OpenAPI documents get the documented responses through the edge', {
  skip
}, async t => {
  const system = await startTestSystem(t, { worker: false, env: UNBOUNDED })
  const edge = system.endpoints.edge as string
  const child = spawn(schemathesis as string, [
    'run', `${edge}/openapi.json`, '--url', edge, '--header', `Authorization: Bearer ${system.token(1)}`,
    '--checks', CHECKS.join(
      ','
    ), '--phases', 'examples,coverage,fuzzing', '--max-examples', '8', '--generation-deterministic',
    '--exclude-path-regex', '/(events|stream)$', // some of these responses never end
    '--request-timeout', '20', '--suppress-health-check', 'all', '--no-color'
  ], { stdio: ['ignore', 'pipe', 'pipe'], cwd: temporaryFolder(t, 'schemathesis') })
  const timer = setTimeout(() => child.kill(), TIMEOUT_MS)
  t.teardown(() => child.kill())
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  }
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== 0) t.comment(output.slice(-20_000))
  t.equal(code, 0)
  t.match(output, /\d+ generated/)
})

import t from 'tap'
import { readOrigins } from '../src/origins.ts'
import { CommonConfig, ConfigError, readConfig } from '../src/config.ts'

t.test('an origin is converted to the form in which browsers send it', async t => {
  const { origins, faults } = readOrigins(
    'https://App.Example/, http://localhost:80,https://a.example:443, https://b.example:8443, http://[::1]:3000/, ' +
    'https://bücher.example, capacitor://localhost, https://app.example'
  )
  t.same(origins, [
    'https://app.example', 'http://localhost', 'https://a.example', 'https://b.example:8443', 'http://[::1]:3000',
    'https://xn--bcher-kva.example', 'capacitor://localhost'
  ])
  t.same(faults, [])
  t.same(readOrigins('*').origins, ['*'])
})

t.test('an entry that cannot match any origin is refused at the start, with the reason', async t => {
  const env = (CORS_ORIGIN: string) => ({ TOKEN_SECRET: 'x'.repeat(32), CORS_ORIGIN })
  for (const text of [
    'app.example', 'https://app.example/path', 'https://*.example', 'null', 'https://', 'https://user@app.example',
    'https://app.example?x', '"https://app.example"'
  ]) {
    t.throws(() => readConfig(CommonConfig, env(text)), new ConfigError([]).constructor, text)
    t.ok(readOrigins(text).faults[0]?.includes(text))
  }
  t.match(readConfig(CommonConfig, env('https://app.example/')), { CORS_ORIGIN: 'https://app.example/' })
})

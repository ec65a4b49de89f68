import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { TEST_CERTIFICATE as cert, temporaryFolder, until } from '@tidings/testing'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { trustedCertificates } from '../../src/egress/certificates.ts'
import { jobOf, setup } from '../setup.ts'
import { startProxy } from './proxy-server.ts'
import { rawServer } from './raw-server.ts'

const folder = temporaryFolder(t, 'certificates')
const fileOf = (name: string, content: string) => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

t.test('certificates of private authorities are trusted beside the public ones', async t => {
  const trusted = trustedCertificates(fileOf('two.pem', `# ours\n${cert}\n${cert}`))
  t.same(trusted.slice(-2), [cert.trim(), cert.trim()])
  t.ok(trusted.length > rootCertificates.length / 2)
})

t.test('a file that is missing, holds none, or holds nonsense is a fault of the configuration', async t => {
  const nonsense = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const files = {
    'can\'t be read': join(folder, 'none'),
    'holds no certificate': fileOf('empty.pem', ''),
    malformed: fileOf('nonsense.pem', nonsense)
  }
  for (const [what, file] of Object.entries(files)) {
    t.throws(() => trustedCertificates(file), { name: 'ConfigError', message: new RegExp(what) }, what)
  }
})

t.test('the URL of a proxy is checked at the start', async t => {
  const env = {
    DATABASE_URL: 'postgres://127.0.0.1/x',
    REDIS_URL: 'redis://127.0.0.1',
    TOKEN_SECRET: 'x'.repeat(40),
    WEBHOOK_SECRET_KEY: 'x'.repeat(40)
  }
  for (const url of ['http://proxy:3128', 'http://user:password@[::1]:3128/']) t.equal(loadConfig({ ...env, WEBHOOK_PROXY_URL: url }).WEBHOOK_PROXY_URL, url)
  for (const url of ['proxy:3128', 'socks5://proxy', 'http://proxy/path']) t.throws(() => loadConfig({ ...env, WEBHOOK_PROXY_URL: url }), /WEBHOOK_PROXY_URL/, url)
})

t.test('a dispatcher delivers through its proxy to an endpoint with a private certificate', async t => {
  const proxy = await startProxy(t)
  const port = await rawServer(t, socket => {
    socket.on('data', () => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') })
  }, { secure: true })
  const { append, createWebhook, sql } = await setup(t, {
    WEBHOOK_PROXY_URL: proxy.url.replace('//', '//user:pass%40word@'),
    WEBHOOK_CA_FILE: fileOf('ca.pem', cert)
  })
  await createWebhook({ url: `https://localhost:${port}/` })
  await append(jobOf('1', 2))
  await until(
    async () => (await sql`select from webhooks.deliveries where state = 'delivered' and attempts = 1`).length === 3,
    { what: 'all to be delivered' }
  )
  t.equal(proxy.tunnels[0]?.authorization, `Basic ${Buffer.from('user:pass@word').toString('base64')}`)
})

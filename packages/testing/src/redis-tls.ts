import { freePort } from '@tidings/dev-servers'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from './certificate.ts'
import { startRedis } from './redis.ts'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'

/**
 * A Redis that also listens with TLS, by a certificate of localhost that its own authority signed; gone with the test.
 */
export async function startRedisWithTls (t: TestContext, settings: Record<string, string> = {}) {
  const folder = temporaryFolder(t, 'tls')
  const [caFile, keyFile, port] = [join(folder, 'ca.pem'), join(folder, 'key.pem'), await freePort()]
  writeFileSync(caFile, TEST_CERTIFICATE)
  writeFileSync(keyFile, TEST_CERTIFICATE_KEY)
  const redis = await startRedis(t, {
    settings: {
      'tls-port': String(port),
      'tls-cert-file': caFile,
      'tls-key-file': keyFile,
      'tls-ca-cert-file': caFile,
      'tls-auth-clients': 'no',
      ...settings
    }
  })
  return { redis, url: `rediss://localhost:${port}`, port, caFile }
}

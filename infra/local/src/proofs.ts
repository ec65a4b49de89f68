// npm run proofs [-- --promise NAME]: shows that each promise's tests fail once its mechanism is switched off.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'
import { ensureRedis } from './setup/redis.ts'
import { withTestEnvironment } from './test-run/test-environment.ts'

await ensureRedis(line => { console.error(line) })
await withTestEnvironment(async env => {
  Object.assign(process.env, env)
  // Imported by path, since the tests already depend on this package.
  await import(pathToFileURL(join(root, 'test', 'proofs', 'main.ts')).href)
})

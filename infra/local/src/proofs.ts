// npm run proofs [-- --promise NAME]: shows that each promise's tests fail once its mechanism is switched off.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

// Imported by path, since the tests already depend on this package.
await import(pathToFileURL(join(root, 'test', 'proofs', 'main.ts')).href)

// npm run chaos -- --minutes 30 [--seed N] [--faults a,b] [--watch] [--list]: faults against a system of its own.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

// Imported by path, since the tests already depend on this package.
await import(pathToFileURL(join(root, 'test', 'chaos', 'main.ts')).href)

// npm run bench [-- name …]: the benchmark, compared with a hand-written monolith.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

// Imported by path, since the bench already depends on this package, which starts the system.
await import(pathToFileURL(join(root, 'bench', 'src', 'main.ts')).href)

// npm run bench [-- name …]: what the system does in a second, beside what people would write themselves.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.ts'

// Not a dependency: the bench depends on this package, which starts the system.
await import(pathToFileURL(join(root, 'bench', 'src', 'main.ts')).href)

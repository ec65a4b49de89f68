import { writeFile } from 'node:fs/promises'
import { PAGE, renderReference } from './reference.ts'

// npm run docs
await writeFile(PAGE, renderReference())

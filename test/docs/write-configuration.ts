import { writeFile } from 'node:fs/promises'
import { PAGE, renderConfiguration } from './configuration.ts'

// npm run docs
await writeFile(PAGE, await renderConfiguration())

// npm run write-types: brings src/openapi.ts up to date with docs/openapi.
import { writeFile } from 'node:fs/promises'
import { openapiTypes } from './openapi-types.ts'

await writeFile(new URL('../src/openapi.ts', import.meta.url), await openapiTypes())

import { writeFile } from 'node:fs/promises'
import { openapiTypes } from './openapi-types.ts'
import { PAGE, renderReference } from './reference.ts'

// npm run write-types: the types of docs/openapi, and the reference that lists them.
await writeFile(new URL('../src/openapi.ts', import.meta.url), await openapiTypes())
await writeFile(PAGE, renderReference())

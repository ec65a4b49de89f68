// Writes docs/openapi/<service>.json; to be run in the folder of a service, whose src/openapi.ts describes its API.
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'

const service = pathToFileURL(`${process.cwd()}/`)
const { describeApi } = await import(new URL('src/openapi.ts', service).href) as { describeApi: () => Promise<object> }
const file = new URL(`../../../docs/openapi/${basename(process.cwd())}.json`, import.meta.url)
await writeFile(file, `${JSON.stringify(await describeApi(), null, 2)}\n`)

// pnpm asyncapi: writes docs/asyncapi.json.
import { readFile, writeFile } from 'node:fs/promises'
import { asyncApiDocument } from '../src/asyncapi/document.ts'

const file = new URL('../../../docs/asyncapi.json', import.meta.url)
const about = await readFile(new URL('../package.json', import.meta.url), 'utf8')
const { version } = JSON.parse(about) as { version: string }
await writeFile(file, `${JSON.stringify(asyncApiDocument(version), null, 2)}\n`)

import { writeFile } from 'node:fs/promises'
import { describeApi } from '../src/openapi.ts'

const file = new URL('../../../docs/openapi/webhook-dispatcher.json', import.meta.url)
await writeFile(file, `${JSON.stringify(await describeApi(), null, 2)}\n`)

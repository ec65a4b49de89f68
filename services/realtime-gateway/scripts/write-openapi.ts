import { writeFile } from 'node:fs/promises'
import { describeApi } from '../src/openapi.ts'

const file = new URL('../../../docs/openapi/realtime-gateway.json', import.meta.url)
await writeFile(file, `${JSON.stringify(await describeApi(), null, 2)}\n`)

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'

// A gateway as a process of its own that reports its memory after garbage collection.

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const config = loadConfig(process.env)
const app = buildApp(config)
app.get('/held', async () => {
  collectGarbage()
  collectGarbage() // for memory that finalizers of the first one released
  const { heapUsed, external } = process.memoryUsage()
  return { bytes: heapUsed + external }
})
process.once('SIGTERM', () => { app.close().catch((err: unknown) => { throw err }) })
await app.listen({ host: config.HOST, port: config.port })

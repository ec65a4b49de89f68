import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'

// A gateway as a process of its own that tells how much it holds once all garbage is gone.

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const config = loadConfig(process.env)
const app = buildApp(config)
app.get('/held', async () => {
  collectGarbage()
  collectGarbage() // what the first one's finalizers let go
  const { heapUsed, external } = process.memoryUsage()
  return { bytes: heapUsed + external }
})
process.once('SIGTERM', () => { app.close().catch((err: unknown) => { throw err }) })
await app.listen({ host: config.HOST, port: config.port })

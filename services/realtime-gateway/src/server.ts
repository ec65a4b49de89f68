import { runService } from '@tidings/service-kit'
import { buildApp } from './app.ts'
import { loadConfig } from './config.ts'

await runService({
  loadConfig,
  buildApp,
  address: ({ HOST, port }) => ({ host: HOST, port })
})

// The process of the local edge: one origin for the three services.
import { runService } from '@tidings/service-kit'
import { buildEdge } from './edge/app.ts'
import { readEdgeConfig } from './edge/config.ts'

await runService({
  loadConfig: readEdgeConfig,
  buildApp: buildEdge,
  address: ({ host, port }) => ({ host, port })
})

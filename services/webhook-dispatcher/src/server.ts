import { runService } from '@tidings/service-kit'
import { buildApp } from './app.ts'
import { address, loadConfig } from './config.ts'

await runService({ loadConfig, buildApp, address })

// The monolith as a process.
import { buildApp } from './app.ts'
import { readSettings } from './settings.ts'

const settings = readSettings(process.env)
const app = buildApp(settings)
await app.listen({ host: '127.0.0.1', port: settings.port })

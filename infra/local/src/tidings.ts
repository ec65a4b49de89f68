// npm run -s tidings -- jobs: the command line, as user 1 of the local system by default.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { folder } from './folder.ts'
import { root } from './root.ts'
import { readEnvironment } from './system/environment.ts'
import { readSecrets } from './system/secrets.ts'
import { issuerSettings, tokenIssuer } from './system/tokens.ts'

const env = readEnvironment()
const secrets = readSecrets(folder, env)
if (!process.env.TIDINGS_URL) process.env.TIDINGS_URL = `http://localhost:${env.PORT ?? 4000}`
if (!process.env.TIDINGS_TOKEN) process.env.TIDINGS_TOKEN = tokenIssuer(secrets, env).token('1')
// For `tidings token --user 7`.
for (const [name, value] of Object.entries(issuerSettings(secrets, env))) if (value) process.env[name] = value
await import(pathToFileURL(join(root, 'packages', 'cli', 'src', 'main.ts')).href)

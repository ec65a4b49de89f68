// The same monolith after an afternoon with a profiler: undici instead of fetch; owners and webhooks are cached.
import { buildApp } from '../naive/app.ts'
import { readSettings } from '../naive/settings.ts'
import { cachedOwner } from './owner.ts'
import { postWithUndici } from './post.ts'
import { cachedWebhooks } from './webhooks.ts'

const settings = readSettings(process.env)
const app = buildApp(settings, { findOwner: cachedOwner(), webhooks: cachedWebhooks, post: postWithUndici })
await app.listen({ host: '127.0.0.1', port: settings.port })

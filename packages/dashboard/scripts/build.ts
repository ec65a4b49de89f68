// npm run build: builds the dashboard into dist/web, unless that is what its sources make already.
import { buildIfChanged } from './build-if-changed.ts'

await buildIfChanged(line => { console.error(line) })

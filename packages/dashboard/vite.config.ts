import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** A running Tidings, which `npm run dev` shows; TIDINGS_URL names another one. */
const services = process.env.TIDINGS_URL ?? 'http://localhost:4000'

/** What index.html has in braces for the server to fill in. */
const PLACEHOLDER = /\{\{env "\w+" \| default "([^"]*)" \| html\}\}/g

/** But for the two that bring a library along. */
const PARTS = /\/src\/(bulk|ui)\/(?!chart\/plot|json\/json-view)[^?]*\.(tsx?|css)$/

export default defineConfig({
  // With relative addresses one build works below any path: the server writes the `<base>` of the page.
  base: './',
  plugins: [
    react(),
    {
      name: 'defaults-of-placeholders',
      apply: 'serve',
      transformIndexHtml: { order: 'pre', handler: html => html.replace(PLACEHOLDER, '$1').replace('/dashboard/', '/') }
    }
  ],
  build: {
    // light-dark() and nesting as they are.
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    // The polyfill is for browsers older than those, and fetches in ways that a strict CSP has to allow.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What most pages use comes as one file: a dozen small ones compress badly, and each is a request.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'parts', test: PARTS }] } } },
    // Says what a page loads: test/budget.test.ts adds it up.
    manifest: 'manifest.json'
  },
  server: {
    proxy: Object.fromEntries(
      ['/submit-job', '/jobs', '/me', '/bulk', '/events', '/ws', '/auth', '/webhooks', '/deliveries', '/users']
        .map(path => [path, { target: services, ws: path === '/ws' }])
    )
  }
})

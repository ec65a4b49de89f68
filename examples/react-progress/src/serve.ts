// npm start: bundles the page and serves it, with the token of TOKEN.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const HTML = '<!doctype html><title>Progress</title><body><script src="/page.js"></script>'

interface Options {
  /** Where Tidings is. */
  url: string
  /** In an app of yours: signed for the user of the request's session. */
  token: string
  /** 0 for any. */
  port: number
}

export async function serve ({ url, token, port }: Options): Promise<Server> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.tsx', import.meta.url))],
    bundle: true,
    minify: true,
    jsx: 'automatic',
    define: { TIDINGS_URL: JSON.stringify(url), 'process.env.NODE_ENV': '"production"' },
    write: false
  })
  const script = outputFiles[0]?.contents
  const server = createServer((request, response) => {
    if (request.url === '/token') response.setHeader('cache-control', 'no-store').end(token)
    else if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end(HTML)
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { TIDINGS_URL: url = 'http://localhost:4000', TOKEN: token, PORT = '5173' } = process.env
  try {
    if (!token) throw new Error('TOKEN is missing: npm start prints one, or npm run token')
    await serve({ url, token, port: Number(PORT) })
    console.log(`http://localhost:${PORT}`)
  } catch (err) {
    console.error(`react-progress: ${(err as Error).message}`)
    process.exitCode = 1
  }
}

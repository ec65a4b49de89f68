import createError from '@fastify/error'
import { compact } from '@tidings/service-kit'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'
import { dashboardFiles, type DashboardFile } from './dashboard-files.ts'

const NotFound = createError('NOT_FOUND', 'There is no %s', 404)

/** The names of files change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const TO_BE_CHECKED = 'no-cache'

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tidings</title>
<h1>The dashboard is not built</h1>
<p>The services run. <code>npm start</code> builds the dashboard, and prints why where that fails;
<code>node packages/dashboard/scripts/build.ts</code> does only that. The API has <a href="/docs">a page of its own</a>.</p>`

/** `/dashboard`: the web page, from its build. The same paths and headers are in infra/edge/Caddyfile. */
export const dashboard = fp<{ config: EdgeConfig }>(async function dashboard (app, { config }) {
  const { folder, base, env, frameAncestors } = config.dashboard
  const filesFor = dashboardFiles(folder, env)
  const headers = {
    'content-security-policy': contentSecurityPolicy(frameAncestors),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': TO_BE_CHECKED
  }

  function send (reply: FastifyReply, path: string) {
    reply.headers(headers)
    const files = filesFor(path)
    if (!files) return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
    const file = files.get(path)
    if (!file && path.startsWith('assets/')) throw new NotFound(path)
    const { body, type, isHashed } = file ?? files.get('index.html') as DashboardFile
    if (isHashed) reply.header('cache-control', FOR_EVER)
    return reply.type(type).send(body)
  }

  app.get('/', (_request, reply) => { reply.redirect(base) })
  // With and without a slash at the end this is one route, but only below the slash are relative addresses right.
  app.get('/dashboard', { onSend: compact }, (request, reply) =>
    /\/(\?|$)/.test(request.url) ? send(reply, 'index.html') : reply.redirect(base))
  app.get<{ Params: { '*': string } }>('/dashboard/*', { onSend: compact }, (request, reply) =>
    send(reply, request.params['*']))
}, { name: 'dashboard' })

/** Scripts, styles and requests of its own origin only, and no text that becomes code. */
function contentSecurityPolicy (frameAncestors: string): string {
  return 'default-src \'none\'; script-src \'self\'; style-src \'self\'; img-src \'self\' data:; ' +
    'connect-src \'self\'; base-uri \'self\'; form-action \'none\'; ' +
    `frame-ancestors ${frameAncestors}; require-trusted-types-for 'script'`
}

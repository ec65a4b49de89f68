export type ServiceName = 'jobs-api' | 'realtime-gateway' | 'webhook-dispatcher'

/** The first match decides. The same routes are in infra/edge/Caddyfile. */
const ROUTES: [RegExp, ServiceName][] = [
  [/^\/+socket\.io(\/|$)/, 'realtime-gateway'],
  [/^\/+(ws|events|docs\/+events|asyncapi\.json|auth\/+ticket|jobs\/+[^/]+\/+stream)\/*$/, 'realtime-gateway'],
  [/^\/+(me|submit-jobs?|auth\/+refresh)\/*$/, 'jobs-api'],
  [/^\/+jobs\/+[^/]+\/+deliveries\/*$/, 'webhook-dispatcher'],
  [/^\/+operators\/+deliveries\/*$/, 'webhook-dispatcher'],
  [/^\/+(jobs|users|bulk|operators)(\/|$)/, 'jobs-api'],
  [/^\/+(webhooks|deliveries)(\/|$)/, 'webhook-dispatcher']
]

/**
 * The service of a path; undefined where there is none. The path is not decoded: an encoded slash is part of a segment.
 */
export function serviceOf (url: string): ServiceName | undefined {
  const path = pathOf(url)
  return ROUTES.find(([pattern]) => pattern.test(path))?.[1]
}

/** The target of a request as a path: a client that uses the edge as a proxy sends a whole URL (RFC 9112 §3.2.2). */
export function targetOf (url: string): string {
  return url.replace(/^https?:\/\/[^/?]*\/?/i, '/')
}

function pathOf (url: string): string {
  return targetOf(url).split('?')[0] as string
}

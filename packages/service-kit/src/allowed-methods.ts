import type { FastifyInstance } from 'fastify'
import FindMyWay from 'find-my-way'
import { ROUTER_OPTIONS } from './router-options.ts'

/** One method for all paths, so that a path is found for any method of the request. */
const KEY = 'GET'

/**
 * Collects the methods of each path of the app, and returns a function that returns the methods of a URL (none for an
 * unknown one). Fastify's own router answers for one method at a time only, and does not expose its paths.
 */
export function collectMethods (app: FastifyInstance): (url: string) => string[] {
  const router = FindMyWay<FindMyWay.HTTPVersion.V1>({ ...ROUTER_OPTIONS })
  const methodsOf = new Map<string, Set<string>>()

  app.addHook('onRoute', ({ method, url }) => {
    if (url.endsWith('*')) return // the preflights of @fastify/cors
    const pattern = unnamed(url)
    const known = methodsOf.get(pattern)
    const methods = known ?? new Set(['OPTIONS'])
    for (const each of [method].flat()) methods.add(each)
    if (known) return
    methodsOf.set(pattern, methods)
    router.on(KEY, pattern, () => {}, { methods })
  })

  return url => {
    const store = router.find(KEY, pathOf(url))?.store as { methods: Set<string> } | undefined
    return store === undefined ? [] : [...store.methods].sort()
  }
}

/** Routes may use several names for one parameter. */
function unnamed (url: string): string {
  let count = 0
  return url.replace(/:\w+/g, () => `:p${count++}`).replace(/(?<=.)\/$/, '')
}

/** The path of a URL; empty for a malformed escape, at which the router would throw. */
function pathOf (url: string): string {
  const path = url.split(/[?#]/)[0] as string
  try {
    decodeURI(path)
    return path
  } catch {
    return ''
  }
}

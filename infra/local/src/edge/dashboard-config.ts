import { join } from 'node:path'
import { root } from '../root.ts'

export interface DashboardConfig {
  /** Of the build. */
  folder: string
  /** The path of the page as browsers see it, with a slash at both ends. */
  base: string
  /** Variables that the page has in it. */
  env: Record<string, string>
  /** Which pages may frame it: sources of a Content-Security-Policy. */
  frameAncestors: string
}

const IN_THE_PAGE = [
  'DASHBOARD_BASE', 'DASHBOARD_TITLE', 'DASHBOARD_LOGO', 'DASHBOARD_ACCENT', 'DASHBOARD_ENVIRONMENT',
  'DASHBOARD_SIGN_IN_URL', 'DASHBOARD_FRAME_ANCESTORS', 'DASHBOARD_SECTIONS'
]

const SECTIONS = ['jobs', 'webhooks', 'operators']

/** Adds what is wrong to `faults`. */
export function readDashboardConfig (env: NodeJS.ProcessEnv, faults: string[]): DashboardConfig {
  const base = env.DASHBOARD_BASE || '/dashboard/'
  const frameAncestors = env.DASHBOARD_FRAME_ANCESTORS || '\'none\''
  if (!/^\/(\S*\/)?$/.test(base)) faults.push(`DASHBOARD_BASE must be a path that begins and ends with /, not ${base}`)
  if (!/^[\x20-\x3a\x3c-\x7e]+$/.test(frameAncestors)) {
    faults.push(`DASHBOARD_FRAME_ANCESTORS must be origins with spaces between them, not ${frameAncestors}`)
  }
  const signIn = env.DASHBOARD_SIGN_IN_URL
  if (signIn && !/^https?:\/\//.test(signIn)) faults.push(`DASHBOARD_SIGN_IN_URL must be an http(s) URL, not ${signIn}`)
  const sections = env.DASHBOARD_SECTIONS
  if (sections && !sections.split(',').every(name => SECTIONS.includes(name.trim()))) {
    faults.push(`DASHBOARD_SECTIONS must be some of ${SECTIONS.join(', ')}, not ${sections}`)
  }
  return {
    folder: env.DASHBOARD_FOLDER || join(root, 'packages', 'dashboard', 'dist', 'web'),
    base,
    env: Object.fromEntries(IN_THE_PAGE.map(name => [name, env[name] ?? ''])),
    frameAncestors
  }
}

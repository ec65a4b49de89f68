import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

export interface DashboardFile {
  body: Buffer
  type: string
  /** Its name has a hash of its content. */
  isHashed: boolean
}

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}

/** What index.html has in braces: Caddy fills it in as a template of its own, this edge does the same. */
const PLACEHOLDER = /\{\{env "(\w+)" \| default "([^"]*)" \| html\}\}/g

/**
 * The files of a build by their paths, as `assets/index-1a2b.js`; undefined where there is none. A build has some
 * hundreds of kilobytes.
 */
export function readDashboard (folder: string, env: Record<string, string>): Map<string, DashboardFile> | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined
  const files = new Map<string, DashboardFile>()
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(path)]
    if (type === undefined) continue
    const name = path.replaceAll('\\', '/')
    files.set(name, { body: readFileSync(join(folder, path)), type, isHashed: name.startsWith('assets/') })
  }
  const page = files.get('index.html') as DashboardFile
  page.body = Buffer.from(fillIn(page.body.toString(), env))
  return files
}

function fillIn (html: string, env: Record<string, string>): string {
  return html.replace(PLACEHOLDER, (_all, name: string, fallback: string) => escape(env[name] || fallback))
}

function escape (text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', '\'': '&#39;' }
  return text.replace(/[&<>"']/g, character => entities[character] as string)
}

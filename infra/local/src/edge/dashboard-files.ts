import { readdirSync, readFileSync, statSync } from 'node:fs'
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

type Files = Map<string, DashboardFile>

/**
 * Returns what has the files of the build in a folder by their paths, as `assets/index-1a2b.js`; undefined where there
 * is none. They are read once, some hundreds of kilobytes, and again for a page after another build.
 */
export function dashboardFiles (folder: string, env: Record<string, string>) {
  let files: Files | undefined
  let builtAt: number | undefined
  return (path: string): Files | undefined => {
    if (files && path.startsWith('assets/')) return files
    const now = statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs
    if (now !== undefined && now !== builtAt) files = readFiles(folder, env)
    builtAt = now ?? builtAt
    return files
  }
}

function readFiles (folder: string, env: Record<string, string>): Files {
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

import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { root } from '@tidings/local'
import { filesOf, read } from './pages.ts'

/** Links to pages of the repository; others and those within code are not looked at. */
const LINK = /\]\((?!\w+:|\/\/)([^)\s]+)\)/g
const CODE = /^ *```.*?^ *```|`[^`\n]*`/gms

t.test('relative links of all pages lead to files and headings that exist', async t => {
  const broken = filesOf(['*.md', '**/*.md']).flatMap(page => {
    const links = [...read(page).replaceAll(CODE, '').matchAll(LINK)].map(match => match[1] as string)
    return links.filter(link => !leadsSomewhere(page, link)).map(link => `${page}: ${link}`)
  })
  t.same(broken, [])
})

t.test('files that a page names exist', async t => {
  const files = filesOf(['{packages,services,infra,bench,test,examples,patches}/**/*.{ts,mjs,lua,py,patch}'])
  const pages = filesOf(['*.md', 'docs/**/*.md', '{packages,services,infra,bench,examples}/**/README.md'])
  const missing = pages.filter(page => page !== 'CHANGELOG.md').flatMap(page => {
    const named = [...read(page).matchAll(/`([\w./@-]+\.(?:ts|mjs|lua|py|patch))`/g)].map(match => match[1] as string)
    return named.filter(name => !files.some(file => `/${file}`.endsWith(`/${name}`))).map(name => `${page}: ${name}`)
  })
  t.same(missing, [])
})

function leadsSomewhere (page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || statSync(join(root, target)).isDirectory() || anchorsOf(target).includes(anchor)
}

/** As GitHub makes them. */
function anchorsOf (page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-'))
}

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from './temporary-folder.ts'
import type { TestContext } from './test-context.ts'

type Journal = { entries: { tag: string }[] }

/** A copy of a folder of migrations that ends before one of them: as an earlier release had it. */
export function migrationsBefore (t: TestContext, migrations: URL, tag: string): URL {
  const folder = temporaryFolder(t)
  cpSync(migrations, folder, { recursive: true })
  const file = `${folder}/meta/_journal.json`
  const journal = JSON.parse(readFileSync(file, 'utf8')) as Journal
  const end = journal.entries.findIndex(entry => entry.tag === tag)
  if (end < 0) throw new Error(`no migration ${tag} in ${migrations.href}`)
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, end) }))
  return pathToFileURL(`${folder}/`)
}

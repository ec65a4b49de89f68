import t from 'tap'
import { filesOf, read } from './pages.ts'

/** The channel on which the projector announces its progress. */
const NO_METRICS = ['tidings_jobs_projected']
const PAGES = ['docs/jobs.md', 'docs/realtime.md', 'docs/webhooks.md']

t.test('the tables of metrics list each metric of the services, and no other', async t => {
  const sources = filesOf(['services/*/src/**/*.ts', 'packages/service-kit/src/**/*.ts'])
  const names = sources.flatMap(
    path => [...read(path).matchAll(/'(tidings_[a-z_]+)'/g)].map(match => match[1] as string)
  )
  t.same(sorted(PAGES.flatMap(listed)), sorted(names.filter(name => !NO_METRICS.includes(name))))
})

/** The names in the first cells below `| metric, ``tidings_…`` |`, with that prefix. */
function listed (page: string): string[] {
  const [, prefix = '', rows = ''] = /^\| metric, `(tidings_[a-z_]*)…` \|.*\n((?:\|.*\n?)*)/m.exec(read(page)) ?? []
  const cells = [...rows.matchAll(/^\| (`[^|]*) \|/gm)].map(match => match[1] as string)
  return cells.flatMap(cell => [...cell.matchAll(/`([a-z_]+)/g)].map(match => prefix + (match[1] as string)))
}

function sorted (texts: string[]): string[] {
  return [...new Set(texts)].toSorted()
}

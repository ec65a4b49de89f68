import { useEffect, useMemo } from 'react'
import { ArrowUp, SearchX } from 'lucide-react'
import { Link, useLocation, useSearch } from 'wouter'
import { BulkList } from '../bulk/bulk-list.tsx'
import { looksLikeEventId } from '../lib/event-id.ts'
import { formatCount } from '../lib/format.ts'
import { useCan } from '../session/use-can.ts'
import { announce } from '../shell/announcer.tsx'
import { PageHead } from '../shell/page.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { DataTable } from '../ui/table/data-table.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { ChooseColumns } from './choose-columns.tsx'
import { FilterBar } from './filter-bar.tsx'
import { filtersText, listPath, listQuery, parseFilters, type JobFilters } from './filters.ts'
import { FirstJob } from './first-job.tsx'
import { hrefOfJob } from './href.ts'
import styles from './jobs-page.module.css'
import { StateTabs } from './state-tabs.tsx'
import { StatsPanel } from './stats-panel.tsx'
import { columnsChoice, useColumns } from './use-columns.ts'
import { useJobPages } from './use-job-pages.ts'
import { useSelection } from './use-selection.ts'

export default function JobsPage () {
  const search = useSearch()
  const [, navigate] = useLocation()
  const filters = useMemo(() => parseFilters(search), [search])
  const query = useMemo(() => listQuery(filters, Date.now()), [filters])
  const { pages, state } = useJobPages(query)
  const { chosen, selection, chooseEverything, clear } = useSelection(pages)
  const mayWrite = useCan('jobs:write')
  const { count, total, isCapped, newCount, status, error, scanned } = state
  const { text: columnsText, keys, isShared, columns } = useColumns(search)
  const text = filtersText(filters)
  useEffect(clear, [text])
  useEffect(() => { if (newCount > 0) announce(`${newCount} new jobs`) }, [newCount])

  function change (part: Partial<JobFilters>) {
    const shared = isShared ? { columns: columnsText } : {}
    navigate(`/jobs${filtersText({ ...filters, ...part }, shared)}`, { replace: true })
  }
  function chooseColumns (next: string) {
    columnsChoice.set(next)
    if (isShared) navigate(`/jobs${text}`, { replace: true })
  }
  const isFiltered = text !== ''
  return (
    <>
      <PageHead
        title='Jobs' actions={<Call path={listPath(query)} sdk={sdkOf(query)} more={FIGURES} />}
      />
      <div className={styles.stack}>
        <StateTabs chosen={filters.status} onChange={status => change({ status })} />
        <StatsPanel name={filters.name} queue={filters.queue} />
        <BulkList actions={['retry', 'cancel']} />
        <FilterBar filters={filters} onChange={change} />
        <div>
          <div className={styles.above}>
            <span className={styles.total}>
              {status === 'loading' ? ' ' : `${isCapped ? 'Over ' : ''}${formatCount(total)} ${total === 1 ? 'job' : 'jobs'}`}
              {scanned !== undefined && ` among the newest ${formatCount(scanned)}`}
              {error !== undefined && count > 0 && <span className={styles.stale}> · not up to date: no answer</span>}
            </span>
            <span className={styles.actions}>
              {newCount > 0 && (
                <Button
                  kind='primary' size='small' icon={<ArrowUp size={14} aria-hidden />}
                  onClick={() => { pages?.reload(); scrollTo({ top: 0 }) }}
                >
                  {newCount >= 100 ? 'Over 99' : newCount} new {newCount === 1 ? 'job' : 'jobs'}
                </Button>
              )}
              <ChooseColumns keys={keys} isShared={isShared} onChange={chooseColumns} />
            </span>
          </div>
          <Panel isFlush>
            {status === 'error' && count === 0
              ? <ErrorView error={error} onRetry={pages?.reload} />
              : status === 'loading' && count === 0
                ? <Loading rows={8} label='Loading jobs' />
                : count === 0
                  ? isFiltered ? <NothingFound q={filters.q} onClear={() => navigate('/jobs')} /> : <FirstJob />
                  : (
                    <DataTable
                      label='Jobs' columns={columns} count={count} total={isCapped ? -1 : total} hrefOf={hrefOfJob}
                      rowAt={index => pages?.rowAt(index)} onRange={pages?.show}
                      selection={mayWrite ? selection : undefined}
                    />
                    )}
          </Panel>
          {(chosen.jobs.size > 0 || chosen.isEverything) && (
            <BulkBar
              chosen={chosen} filters={filters} total={total} isCapped={isCapped}
              onEverything={chooseEverything} onClear={clear}
            />
          )}
        </div>
      </div>
    </>
  )
}

function NothingFound ({ q = '', onClear }: { q: string | undefined, onClear: () => void }) {
  return (
    <Empty title='No job matches' icon={<SearchX size={22} />}>
      {looksLikeEventId(q) && (
        <p>This may be the id of an event: <Link href={`/e/${q}`}>find its job</Link>.</p>
      )}
      <p>The search finds ids by their beginning, and parts of names and of errors.</p>
      <p><Button size='small' onClick={onClear}>Remove all filters</Button></p>
    </Empty>
  )
}

const FIGURES = [
  { name: 'Jobs by state', path: '/jobs/counts', sdk: 'console.log(await client.jobs.counts())' },
  { name: 'Finished jobs over time', path: '/jobs/stats', sdk: 'console.log(await client.jobs.stats({}))' }
]

const sdkOf = (query: object) =>
  `for await (const job of client.jobs.list(${Object.keys(query).length > 0 ? JSON.stringify(query) : ''})) console.log(job)`

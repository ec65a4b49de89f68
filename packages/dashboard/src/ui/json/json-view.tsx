import { useMemo, useRef, useState } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronDown, ChevronRight, Download } from 'lucide-react'
import { classNames } from '../../lib/class-names.ts'
import { formatBytes, formatCount } from '../../lib/format.ts'
import { Button } from '../button.tsx'
import { CopyButton } from '../copy-button.tsx'
import styles from './json-view.module.css'
import { jsonText, linesOf, openDepth, type Line } from './lines.ts'

const LINE_PX = 24
/** Of a long string so much is shown until one asks for all. */
const LONG_TEXT = 400

/** Any JSON value: folded where it is long, drawn as far as it can be seen, its integers exact. */
export default function JsonView ({ value, name }: { value: unknown, name: string }) {
  const [changed, setChanged] = useState<ReadonlyMap<string, boolean>>(new Map())
  const depthOpen = useMemo(() => openDepth(value), [value])
  const lines = useMemo(
    () => linesOf(value, (path, depth) => changed.get(path) ?? depth < depthOpen), [value, changed, depthOpen])
  const text = useMemo(() => jsonText(value), [value])
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    getItemKey: index => (lines[index] as Line).path,
    overscan: 12
  })
  const toggle = ({ path, kind }: Line) => setChanged(new Map(changed).set(path, kind === 'folded'))

  return (
    <div className={styles.view}>
      <div className={styles.bar}>
        <span>{formatBytes(text.length)}, {formatCount(lines.length)} {lines.length === 1 ? 'line' : 'lines'}</span>
        <CopyButton text={text} label='Copy' />
        <Button size='small' icon={<Download size={14} aria-hidden />} onClick={() => download(text, name)}>
          Download
        </Button>
      </div>
      <div ref={scroller} className={styles.scroller} tabIndex={0} role='region' aria-label={`${name} as JSON`}>
        <div className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, key, start }) => (
            <div
              key={key} ref={virtualizer.measureElement} data-index={index} className={styles.line}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LineView line={lines[index] as Line} onToggle={toggle} />
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

function LineView ({ line, onToggle }: { line: Line, onToggle: (line: Line) => void }) {
  const { depth, key, text, kind, count, hasComma, path } = line
  const [isWhole, setWhole] = useState(false)
  const isFoldable = kind === 'open' || kind === 'folded'
  const shown = isWhole || text.length <= LONG_TEXT ? text : text.slice(0, LONG_TEXT)
  return (
    <code className={styles.code} style={{ paddingLeft: 26 + depth * 16 }} title={kind === 'close' ? undefined : path}>
      {isFoldable && (
        <button
          type='button' className={styles.fold} style={{ left: depth * 16 }} aria-expanded={kind === 'open'}
          aria-label={`${kind === 'open' ? 'Fold' : 'Unfold'} ${path}`} onClick={() => onToggle(line)}
        >
          {kind === 'open' ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        </button>
      )}
      {key !== undefined && <span className={styles.key}>{JSON.stringify(key)}: </span>}
      <span className={classNames(styles[kind])}>{shown}</span>
      {shown.length < text.length && (
        <button type='button' className={styles.all} onClick={() => setWhole(true)}>
          … show all {formatCount(text.length)} characters
        </button>
      )}
      {hasComma && ','}
      {kind === 'folded' && (
        <span className={styles.count}> {formatCount(count ?? 0)} {count === 1 ? 'item' : 'items'}</span>
      )}
    </code>
  )
}

function download (text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${name.replaceAll(/[^\w.-]+/g, '-').toLowerCase()}.json`
  link.click()
  URL.revokeObjectURL(url)
}

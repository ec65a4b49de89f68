import { useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronDown, ChevronRight, Download } from 'lucide-react'
import { classNames } from '../../lib/class-names.ts'
import { formatBytes, formatCount } from '../../lib/format.ts'
import { announce } from '../../shell/announcer.tsx'
import { Button } from '../button.tsx'
import { CopyButton, copyText } from '../copy-button.tsx'
import { toast, toastError } from '../toasts.tsx'
import styles from './json-view.module.css'
import { jsonText, labelOf, linesOf, openDepth, pathFrom, type Line } from './lines.ts'

const LINE_PX = 24
/** Of a long string so much is shown until one asks for all. */
const LONG_TEXT = 400

/**
 * Any JSON value: folded where it is long, drawn as far as it can be seen, its integers exact. A key, or the place in
 * an array, copies its path. One of them is in the order of tabs; arrows move to the others, and fold.
 */
export default function JsonView ({ value, name, root }: { value: unknown, name: string, root: string }) {
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
  const [current, setCurrent] = useState<string>()
  const items = virtualizer.getVirtualItems()
  const labelled = items.map(({ index }) => lines[index] as Line).filter(line => labelOf(line) !== undefined)
  const stop = (labelled.find(({ path }) => path === current) ?? labelled[0])?.path

  function move (from: number, step: 1 | -1) {
    let to = from + step
    while (lines[to] && labelOf(lines[to] as Line) === undefined) to += step
    const line = lines[to]
    if (!line) return
    setCurrent(line.path)
    virtualizer.scrollToIndex(to, { align: 'auto' })
    // The line may have to be drawn first.
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] [data-label]`)?.focus({ preventScroll: true })
    })
  }
  function onKeyDown (event: KeyboardEvent<HTMLDivElement>) {
    const label = (event.target as Element).closest('[data-label]')
    const index = Number(label?.closest<HTMLElement>('[data-index]')?.dataset.index)
    const line = label ? lines[index] : undefined
    if (!line || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'ArrowDown') move(index, 1)
    else if (event.key === 'ArrowUp') move(index, -1)
    else if (event.key === 'ArrowRight' && line.kind === 'folded') toggle(line)
    else if (event.key === 'ArrowLeft' && line.kind === 'open') toggle(line)
    else return
    event.preventDefault()
  }

  return (
    <div className={styles.view}>
      <div className={styles.bar}>
        <span>{formatBytes(text.length)}, {formatCount(lines.length)} {lines.length === 1 ? 'line' : 'lines'}</span>
        <CopyButton text={text} label='Copy' />
        <Button size='small' icon={<Download size={14} aria-hidden />} onClick={() => download(text, name)}>
          Download
        </Button>
      </div>
      <div
        ref={scroller} className={styles.scroller} tabIndex={0} role='region' aria-label={`${name} as JSON`}
        onKeyDown={onKeyDown}
      >
        <div className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
          {items.map(({ index, key, start }) => (
            <div
              key={key} ref={virtualizer.measureElement} data-index={index} className={styles.line}
              style={{ transform: `translateY(${start}px)` }}
            >
              <LineView
                line={lines[index] as Line} root={root} isStop={(lines[index] as Line).path === stop}
                onToggle={toggle} onFocus={setCurrent}
              />
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

function LineView ({ line, root, isStop, onToggle, onFocus }: {
  line: Line
  root: string
  isStop: boolean
  onToggle: (line: Line) => void
  onFocus: (path: string) => void
}) {
  const { depth, key, text, kind, count, hasComma, path } = line
  const label = labelOf(line)
  const fullPath = pathFrom(root, line)
  const [isWhole, setWhole] = useState(false)
  const isFoldable = kind === 'open' || kind === 'folded'
  const shown = isWhole || text.length <= LONG_TEXT ? text : text.slice(0, LONG_TEXT)
  return (
    <code className={styles.code} style={{ paddingLeft: 26 + depth * 16 }}>
      {isFoldable && (
        <button
          type='button' className={styles.fold} style={{ left: depth * 16 }} aria-expanded={kind === 'open'}
          aria-label={`${kind === 'open' ? 'Fold' : 'Unfold'} ${path}`} onClick={() => onToggle(line)}
        >
          {kind === 'open' ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        </button>
      )}
      {label !== undefined && (
        <button
          type='button' className={classNames(styles.key, key === undefined && styles.place)} data-label
          tabIndex={isStop ? 0 : -1} title={`Copy ${fullPath}`} onFocus={() => onFocus(path)} onClick={() => copyPath(fullPath)}
        >
          {label}:
        </button>
      )}
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

function copyPath (path: string) {
  copyText(path).then(() => {
    toast('Copied', { description: path })
    announce(`Copied ${path}`)
  }).catch(toastError)
}

function download (text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${name.replaceAll(/[^\w.-]+/g, '-').toLowerCase()}.json`
  link.click()
  URL.revokeObjectURL(url)
}

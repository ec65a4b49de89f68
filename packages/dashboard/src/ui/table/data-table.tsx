import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { Link, useLocation } from 'wouter'
import { classNames } from '../../lib/class-names.ts'
import { useShortcut } from '../../shell/shortcuts.ts'
import styles from './data-table.module.css'

export interface Column<Row> {
  key: string
  header: string
  /** A track of CSS grid: `minmax(120px, 1fr)`, `90px`. */
  width: string
  align?: 'end'
  cell: (row: Row) => ReactNode
  /** On a narrow page a row is a card: `title` stands first, `hidden` is left out, others have their header before. */
  card?: 'title' | 'corner' | 'hidden'
}

export interface DataTableProps<Row> {
  /** What the rows are: the name of the table. */
  label: string
  columns: Column<Row>[]
  /** How many rows there are to scroll through. */
  count: number
  /** Of all rows, where more exist than can be scrolled through; -1 where nobody knows. */
  total?: number
  /** Undefined where a row is not loaded. */
  rowAt: (index: number) => Row | undefined
  /** The page of a row; a middle click opens it in a new tab. */
  hrefOf?: ((row: Row) => string) | undefined
  /** Which rows are to be seen, as they change: to load them, and those around them. */
  onRange?: ((first: number, last: number) => void) | undefined
  selection?: Selection<Row> | undefined
}

export interface Selection<Row> {
  has: (row: Row) => boolean
  /** `isRange`: with the shift key, all rows from the last one that was chosen. */
  toggle: (index: number, isRange: boolean) => void
  isAll: boolean
  toggleAll: () => void
  labelOf: (row: Row) => string
}

const ROW_PX = 45
const CARD_PX = 112

/**
 * A table of any length: only rows that can be seen are in the page. It scrolls with the page; on a narrow one rows are
 * cards. The keys j and k move through the rows, Enter opens one, x selects.
 */
export function DataTable<Row> (props: DataTableProps<Row>) {
  const { label, columns, count, total = count, rowAt, hrefOf, onRange, selection } = props
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [current, setCurrent] = useState(-1)
  const [, navigate] = useLocation()
  const isNarrow = matchMedia('(max-width: 1140px)').matches
  useLayoutEffect(() => { setTop((box.current?.getBoundingClientRect().top ?? 0) + window.scrollY) }, [count === 0])

  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: () => isNarrow ? CARD_PX : ROW_PX,
    overscan: 8,
    scrollMargin: top
  })
  const items = virtualizer.getVirtualItems()
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  useEffect(() => { onRange?.(first, last) }, [first, last, onRange])

  function move (to: number) {
    const next = Math.max(0, Math.min(count - 1, to))
    setCurrent(next)
    virtualizer.scrollToIndex(next, { align: 'auto' })
    // The row may have to be drawn first.
    requestAnimationFrame(() => {
      box.current?.querySelector<HTMLElement>(`[data-index="${next}"] [data-row-link]`)?.focus({ preventScroll: true })
    })
  }
  useShortcut('j', 'Next row', () => move(current + 1), count > 0)
  useShortcut('k', 'Previous row', () => move(current - 1), count > 0)
  const select = () => { if (current >= 0) selection?.toggle(current, false) }
  useShortcut('x', 'Select the row', select, selection !== undefined)
  useShortcut('Enter', 'Open the row', () => {
    const row = rowAt(current)
    if (row !== undefined && hrefOf) navigate(hrefOf(row))
  }, hrefOf !== undefined && current >= 0)

  const template = [selection && '36px', ...columns.map(({ width }) => width)].filter(Boolean).join(' ')
  return (
    <div role='table' aria-label={label} aria-rowcount={total < 0 ? -1 : total + 1} className={styles.table}>
      <div role='rowgroup' className={styles.headGroup}>
        <div
          role='row' aria-rowindex={1} className={classNames(styles.row, styles.head)}
          style={{ gridTemplateColumns: template }}
        >
          {selection && (
            <div role='columnheader' className={styles.check}>
              <input
                type='checkbox' aria-label='Select all rows that are loaded' checked={selection.isAll}
                onChange={selection.toggleAll}
              />
            </div>
          )}
          {columns.map(({ key, header, align }) => (
            <div key={key} role='columnheader' className={classNames(align === 'end' && styles.end)}>{header}</div>
          ))}
        </div>
      </div>
      <div ref={box} role='rowgroup' className={styles.body} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, start }) => (
          <div
            key={index} ref={virtualizer.measureElement} data-index={index} role='row' aria-rowindex={index + 2}
            className={classNames(styles.row, styles.item)}
            data-selected={rowIs(rowAt(index), selection) || undefined}
            data-current={index === current || undefined}
            style={{ gridTemplateColumns: template, transform: `translateY(${start - top}px)` }}
            onFocus={() => setCurrent(index)}
          >
            <Cells {...{ columns, selection, hrefOf, index }} row={rowAt(index)} />
          </div>
        ))}
      </div>
    </div>
  )
}

const rowIs = <Row,>(row: Row | undefined, selection: Selection<Row> | undefined) =>
  row !== undefined && selection?.has(row) === true

function Cells<Row> ({ columns, selection, hrefOf, row, index }: {
  columns: Column<Row>[]
  selection: Selection<Row> | undefined
  hrefOf: ((row: Row) => string) | undefined
  row: Row | undefined
  index: number
}) {
  if (row === undefined) {
    return <div role='cell' className={styles.missing}><span className={styles.bone} /></div>
  }
  return (
    <>
      {selection && (
        <div role='cell' className={styles.check}>
          <input
            type='checkbox' aria-label={`Select ${selection.labelOf(row)}`} checked={selection.has(row)}
            onChange={() => {}} onClick={event => selection.toggle(index, event.shiftKey)}
          />
        </div>
      )}
      {columns.map(({ key, header, align, cell, card }, position) => (
        <div
          key={key} role='cell' data-card={card ?? 'pair'} data-header={header}
          className={classNames(styles.cell, align === 'end' && styles.end)}
        >
          {position === 0 && hrefOf
            ? <Link href={hrefOf(row)} className={styles.link} data-row-link>{cell(row)}</Link>
            : cell(row)}
        </div>
      ))}
    </>
  )
}

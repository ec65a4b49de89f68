import { useMemo } from 'react'
import { classNames } from '../lib/class-names.ts'
import { formatDuration } from '../lib/format.ts'
import { Time } from '../ui/time.tsx'
import { alignBodies, alignHeaders, type BodyLine } from './align.ts'
import styles from './compare.module.css'
import type { Attempt } from './delivery-words.tsx'

const ms = (value: number | null) => value === null ? '–' : formatDuration(value)

/** Each has its words, and how it is shown. */
const FIELDS: { name: string, text: (attempt: Attempt) => string, isTime?: boolean }[] = [
  { name: 'Status', text: ({ statusCode }) => statusCode === null ? 'no response' : String(statusCode) },
  { name: 'Error', text: ({ errorClass }) => errorClass ?? 'none' },
  { name: 'Message', text: ({ message }) => message ?? '–' },
  { name: 'Total', text: ({ durations }) => ms(durations.totalMs), isTime: true },
  { name: 'DNS', text: ({ durations }) => ms(durations.dnsMs), isTime: true },
  { name: 'Connect', text: ({ durations }) => ms(durations.connectMs), isTime: true },
  { name: 'First byte', text: ({ durations }) => ms(durations.ttfbMs), isTime: true }
]

/** One attempt, or two side by side with what differs marked. */
export function Compare ({ left, right }: { left: Attempt, right: Attempt | undefined }) {
  const sides = right ? [left, right] : [left]
  const headers = useMemo(() => alignHeaders(left.responseHeaders, right?.responseHeaders ?? null), [left, right])
  const lines = useMemo(
    () => alignBodies(left.responseBody, right ? right.responseBody : left.responseBody), [left, right])
  return (
    <div className={styles.compare} data-sides={sides.length}>
      <table className={styles.fields}>
        <thead>
          <tr>
            <td />
            {sides.map(({ attempt }, index) => <th key={index} scope='col'>Attempt {attempt}</th>)}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope='row'>Started</th>
            {sides.map(({ startedAt }, index) => <td key={index}><Time at={startedAt} as='exact' /></td>)}
          </tr>
          {FIELDS.map(({ name, text, isTime }) => (
            // Durations differ always, and so do dates below: that says nothing.
            <Row key={name} name={name} values={sides.map(text)} isMarked={!isTime} />
          ))}
          <tr><th scope='rowgroup' colSpan={sides.length + 1} className={styles.part}>Response headers</th></tr>
          {headers.length === 0 && <tr><td colSpan={sides.length + 1} className={styles.none}>None</td></tr>}
          {headers.map(({ name, values }) => (
            <Row key={name} name={name} values={right ? values : values.slice(0, 1)} isMarked={name !== 'date'} />
          ))}
        </tbody>
      </table>
      <h4 className={styles.heading}>Response body</h4>
      {left.responseBody === null && (right === undefined || right.responseBody === null)
        ? <p className={styles.none}>None</p>
        : <Body lines={lines} isOne={!right} />}
    </div>
  )
}

function Row ({ name, values, isMarked }: { name: string, values: (string | undefined)[], isMarked: boolean }) {
  const differs = isMarked && values.length > 1 && values[0] !== values[1]
  return (
    <tr data-differs={differs || undefined}>
      <th scope='row'>{name}{differs && <span className='visually-hidden'> differs</span>}</th>
      {values.map((value, index) => <td key={index}>{value ?? <span className={styles.none}>not there</span>}</td>)}
    </tr>
  )
}

function Body ({ lines, isOne }: { lines: BodyLine[], isOne: boolean }) {
  return (
    <div className={styles.body} tabIndex={0} role='region' aria-label='Response body'>
      <table className={styles.lines}>
        <tbody>
          {lines.map(({ left, right }, index) => {
            const differs = left !== right
            return (
              <tr key={index} data-differs={differs || undefined}>
                <Line text={left} mark={differs ? '−' : ' '} />
                {!isOne && <Line text={right} mark={differs ? '+' : ' '} />}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Line ({ text, mark }: { text: string | undefined, mark: string }) {
  return (
    <td className={classNames(text === undefined && styles.gap)} data-mark={text === undefined ? ' ' : mark}>
      <code>{text ?? ''}</code>
    </td>
  )
}

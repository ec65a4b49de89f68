import { useSearchParams } from 'wouter'
import { formatDuration } from '../lib/format.ts'
import { Panel } from '../ui/panel.tsx'
import { Time } from '../ui/time.tsx'
import styles from './attempts.module.css'
import { Compare } from './compare.tsx'
import { faultWords, outcomeText, type Attempt } from './delivery-words.tsx'

/** All attempts in a line, and two of them side by side; the address keeps which. */
export function Attempts ({ attempts, isPending }: { attempts: Attempt[], isPending: boolean }) {
  const [params, setParams] = useSearchParams()
  if (attempts.length === 0) {
    return (
      <Panel title='Attempts'>
        <p className={styles.none}>{isPending ? 'The first one is about to be made.' : 'None was made.'}</p>
      </Panel>
    )
  }
  const [left, right] = chosen(attempts, params.get('compare'))
  const choose = (side: 'left' | 'right', n: number) => {
    const [one, other] = side === 'left' ? [n, right?.attempt ?? n] : [left.attempt, n]
    setParams(before => {
      const next = new URLSearchParams(before)
      next.set('compare', `${one},${other}`)
      return next
    }, { replace: true })
  }
  const slowest = Math.max(1, ...attempts.map(({ durations }) => durations.totalMs))
  return (
    <Panel title='Attempts' note={String(attempts.length)} isFlush>
      <div className={styles.scroller} tabIndex={0} role='region' aria-label='Attempts'>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope='col' className={styles.end}>No.</th>
              <th scope='col'>Started</th>
              <th scope='col'>Response</th>
              <th scope='col' className={styles.wide}>What happened</th>
              <th scope='col' className={styles.end}>Took</th>
              <th scope='col' className={styles.wide}><span className='visually-hidden'>Share of the slowest</span></th>
            </tr>
          </thead>
          <tbody>
            {attempts.map(each => <Row key={each.attempt} attempt={each} slowest={slowest} />)}
          </tbody>
        </table>
      </div>
      <div className={styles.compare}>
        {right
          ? (
            <div className={styles.choice}>
              <h3>Compare</h3>
              <AttemptChoice
                label='First attempt to compare' attempts={attempts} value={left} onChange={n => choose('left', n)}
              />
              <span>with</span>
              <AttemptChoice
                label='Second attempt to compare' attempts={attempts} value={right} onChange={n => choose('right', n)}
              />
            </div>
            )
          : <h3>Attempt {left.attempt}</h3>}
        <Compare left={left} right={right} />
      </div>
    </Panel>
  )
}

/** Those that the address names; else the first and the last. */
function chosen (attempts: Attempt[], named: string | null): [Attempt, Attempt | undefined] {
  const [first, second] = (named ?? '').split(',').map(text => attempts.find(({ attempt }) => attempt === Number(text)))
  const left = first ?? attempts[0] as Attempt
  return [left, attempts.length > 1 ? second ?? attempts.at(-1) : undefined]
}

function AttemptChoice ({ label, attempts, value, onChange }: {
  label: string, attempts: Attempt[], value: Attempt, onChange: (n: number) => void
}) {
  return (
    <select aria-label={label} value={value.attempt} onChange={event => onChange(Number(event.target.value))}>
      {attempts.map(each => (
        <option key={each.attempt} value={each.attempt}>{`${each.attempt}: ${outcomeText(each)}`}</option>
      ))}
    </select>
  )
}

function Row ({ attempt: each, slowest }: { attempt: Attempt, slowest: number }) {
  const { attempt, startedAt, statusCode, errorClass, message, durations } = each
  return (
    <tr>
      <td className={styles.end}>{attempt}</td>
      <td><Time at={startedAt} as='clock' /></td>
      <td className={errorClass ? styles.bad : styles.ok}>{outcomeText(each)}</td>
      <td className={styles.wide}>
        {errorClass ? faultWords(errorClass) : 'Accepted'}
        {message && statusCode === null && <span className={styles.message}>{message}</span>}
      </td>
      <td className={styles.end}>{formatDuration(durations.totalMs)}</td>
      <td className={styles.wide}><Phases {...durations} slowest={slowest} /></td>
    </tr>
  )
}

/** DNS, connecting, waiting for the first byte, and reading, on the scale of the slowest attempt. */
function Phases ({ dnsMs, connectMs, ttfbMs, totalMs, slowest }: Attempt['durations'] & { slowest: number }) {
  const ends = [dnsMs, connectMs, ttfbMs, totalMs].reduce<number[]>((all, ms) => [
    ...all, Math.max(all.at(-1) ?? 0, ms ?? 0)], [])
  const x = (ms: number) => ms / slowest * 120
  return (
    <svg width='120' height='8' aria-hidden className={styles.phases}>
      {ends.map((end, index) => {
        const start = ends[index - 1] ?? 0
        return <rect key={index} x={x(start)} width={Math.max(x(end) - x(start), 0)} height='8' data-phase={index} />
      })}
    </svg>
  )
}

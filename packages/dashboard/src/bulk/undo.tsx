import { useEffect } from 'react'
import { Undo2 } from 'lucide-react'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { useNow } from '../ui/clock.ts'
import { toast } from '../ui/toasts.tsx'
import styles from './bulk.module.css'
import { pendingBulks, usePendingBulks, type PendingBulk } from './pending.ts'

const TICK_MS = 250

/** Bulk actions that are about to start, each with the seconds that are left to take it back. */
export function Undo () {
  const pending = usePendingBulks()
  if (pending.length === 0) return null
  return <ul className={styles.undo}>{pending.map(each => <Pending key={each.id} {...each} />)}</ul>
}

function Pending ({ id, title, startsAt }: PendingBulk) {
  const left = Math.max(1, Math.ceil((startsAt - useNow(TICK_MS)) / 1000))
  useEffect(() => { announce(`${title} starts in a few seconds. Undo takes it back.`) }, [title])
  return (
    <li className={styles.pending}>
      <span className={styles.count}>{title}</span>
      <span className={styles.numbers}>starts in {left} s</span>
      <span className={styles.space} />
      <Button
        kind='primary' size='small' autoFocus icon={<Undo2 size={14} aria-hidden />}
        onClick={() => {
          pendingBulks.undo(id)
          toast('Taken back', { description: `${title}: nothing was started.` })
        }}
      >
        Undo
      </Button>
      <Button size='small' onClick={() => pendingBulks.start(id)}>Start now</Button>
    </li>
  )
}

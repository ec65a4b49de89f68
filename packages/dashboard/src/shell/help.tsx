import { Fragment } from 'react'
import { Dialog } from '../ui/dialog.tsx'
import styles from './help.module.css'
import { useShortcuts } from './shortcuts.ts'

/** The keys that work on this page. */
export function Help ({ isOpen, onClose }: { isOpen: boolean, onClose: () => void }) {
  const shortcuts = useShortcuts()
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title='Keys' description='They work while no field has the focus.'>
      <dl className={styles.keys}>
        {shortcuts.map(({ keys, label }) => (
          <Fragment key={keys}>
            <dt>{keys.split(' ').map(key => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{label}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  )
}

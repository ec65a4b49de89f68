import { useState } from 'react'
import { Columns3 } from 'lucide-react'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import styles from './choose-columns.module.css'
import { COLUMNS } from './columns.tsx'
import { USUAL } from './use-columns.ts'

interface ChooseColumnsProps {
  keys: string[]
  /** They come from a link, not from this browser. */
  isShared: boolean
  onChange: (columns: string) => void
}

/** Which columns the list has; this browser keeps them, and a link can name them. */
export function ChooseColumns ({ keys, isShared, onChange }: ChooseColumnsProps) {
  const [isOpen, setOpen] = useState(false)
  const [, ...others] = COLUMNS
  const toggle = (key: string) => onChange(
    COLUMNS.map(each => each.key).filter(each => keys.includes(each) !== (each === key)).join(','))
  const link = () => {
    const url = new URL(location.href)
    url.searchParams.set('columns', keys.join(','))
    return url.href.replaceAll('%2C', ',')
  }
  return (
    <>
      <Button size='small' icon={<Columns3 size={14} aria-hidden />} onClick={() => setOpen(true)}>Columns</Button>
      <Dialog
        isOpen={isOpen} onClose={() => setOpen(false)} title='Columns'
        description={isShared ? 'They come with the link. This browser keeps a change.' : 'This browser keeps them.'}
      >
        <ul className={styles.columns}>
          {others.map(({ key, header }) => (
            <li key={key}>
              <label>
                <input
                  type='checkbox' checked={keys.includes(key)} onChange={() => toggle(key)}
                  disabled={keys.length === 2 && keys.includes(key)}
                />
                {header}
              </label>
            </li>
          ))}
        </ul>
        <DialogActions>
          <CopyButton text={link} label='Copy a link with them' />
          <Button size='small' onClick={() => onChange(USUAL)}>As usual</Button>
        </DialogActions>
      </Dialog>
    </>
  )
}

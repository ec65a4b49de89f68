import type { ReactNode } from 'react'
import { AlertDialog } from '@base-ui/react/alert-dialog'
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { Button, IconButton } from './button.tsx'
import styles from './dialog.module.css'

interface DialogProps {
  isOpen: boolean
  onClose: () => void
  title: string
  /** Said below the title. */
  description?: ReactNode
  /** Wide enough for JSON and two columns. */
  isWide?: boolean
  children: ReactNode
}

/** A dialog over the page: it keeps the focus, closes with Escape, and gives the focus back. */
export function Dialog ({ isOpen, onClose, title, description, isWide = false, children }: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={open => { if (!open) onClose() }}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={classNames(styles.popup, isWide && styles.wide)}>
          <div className={styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            <Base.Close render={<IconButton label='Close'><X size={16} aria-hidden /></IconButton>} />
          </div>
          {description && <Base.Description className={styles.description}>{description}</Base.Description>}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

interface ConfirmProps {
  isOpen: boolean
  onClose: () => void
  onConfirm: () => void
  title: string
  children?: ReactNode
  /** The words of the button, as `Cancel 12 jobs`. */
  confirm: string
  isDangerous?: boolean
  isBusy?: boolean
  /** Before the buttons. */
  extra?: ReactNode
}

/** Asks before something that many would regret. The focus is on the way back. */
export function Confirm ({
  isOpen, onClose, onConfirm, title, children, confirm, isDangerous = false, isBusy = false, extra
}: ConfirmProps) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={open => { if (!open) onClose() }}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        <AlertDialog.Popup className={styles.popup}>
          <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className={styles.description}>{children}</AlertDialog.Description>
          <DialogActions>
            {extra}
            <AlertDialog.Close render={<Button>Back</Button>} />
            <Button kind={isDangerous ? 'danger' : 'primary'} disabled={isBusy} onClick={onConfirm}>{confirm}</Button>
          </DialogActions>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

/** The buttons at the end of a dialog. */
export function DialogActions ({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>
}

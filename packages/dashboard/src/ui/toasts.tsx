import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { Button, IconButton } from './button.tsx'
import { describeError } from './states.tsx'
import styles from './toasts.module.css'

interface Data { kind: 'done' | 'error', action?: { label: string, run: () => void } | undefined }

const manager = Toast.createToastManager<Data>()

/** Says that something was done; `action` is a way to follow it up, or to take it back. */
export function toast (title: string, { description, action }: {
  description?: string
  action?: { label: string, run: () => void }
} = {}): void {
  manager.add({ title, description, data: { kind: 'done', action } })
}

/** Says why something was not done. It stays until it is closed. */
export function toastError (error: unknown): void {
  const { title, detail, faults } = describeError(error)
  const description = [detail, ...faults.map(({ path, message }) => `${path} ${message}`)].filter(Boolean).join('. ')
  manager.add({ title, description, timeout: 0, priority: 'high', data: { kind: 'error' } })
}

export function Toasts () {
  return (
    <Toast.Provider toastManager={manager}>
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport}><List /></Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List () {
  const { toasts, close } = Toast.useToastManager<Data>()
  return toasts.map(each => {
    const { kind, action } = each.data ?? { kind: 'done' }
    return (
      <Toast.Root key={each.id} toast={each} className={classNames(styles.toast, kind === 'error' && styles.error)}>
        <div className={styles.words}>
          <Toast.Title className={styles.title} />
          <Toast.Description className={styles.description} />
        </div>
        {action && (
          <Button size='small' onClick={() => { action.run(); close(each.id) }}>{action.label}</Button>
        )}
        <Toast.Close render={<IconButton label='Close'><X size={14} aria-hidden /></IconButton>} />
      </Toast.Root>
    )
  })
}

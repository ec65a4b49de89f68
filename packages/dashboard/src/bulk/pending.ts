import { useSyncExternalStore } from 'react'

/** What was confirmed waits so long: until then it can be taken back without a trace. */
const UNDO_MS = 5000

export interface PendingBulk {
  id: number
  /** `Retry of 120 jobs` */
  title: string
  startsAt: number
}

interface Entry extends PendingBulk { timer: ReturnType<typeof setTimeout>, start: () => void }

let entries: Entry[] = []
let shown: PendingBulk[] = []
let lastId = 0
const listeners = new Set<() => void>()

/** Starts bulk actions a few seconds after they were confirmed, whatever page one is on meanwhile. */
export const pendingBulks = {
  add: (title: string, start: () => void): void => {
    const id = ++lastId
    const timer = setTimeout(() => pendingBulks.start(id), UNDO_MS)
    change([...entries, { id, title, startsAt: Date.now() + UNDO_MS, timer, start }])
  },
  /** At once. */
  start: (id: number): void => take(id)?.start(),
  undo: (id: number): void => { take(id) },
  /** Takes all back, as there is nobody any more for whom to start them. */
  clear: (): void => { for (const { id } of entries) take(id) }
}

export function usePendingBulks (): PendingBulk[] {
  return useSyncExternalStore(listener => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, () => shown)
}

function take (id: number): Entry | undefined {
  const entry = entries.find(each => each.id === id)
  clearTimeout(entry?.timer)
  if (entry) change(entries.filter(each => each !== entry))
  return entry
}

function change (next: Entry[]) {
  entries = next
  shown = next
  if (next.length > 0) addEventListener('beforeunload', warn)
  else removeEventListener('beforeunload', warn)
  for (const listener of listeners) listener()
}

/** Who closes the page now would believe that it has started. */
function warn (event: BeforeUnloadEvent) {
  event.preventDefault()
}

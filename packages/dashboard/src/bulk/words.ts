import type { Bulk } from 'tidings'

type Action = Bulk['action']

interface Words {
  verb: string
  items: [one: string, many: string]
  /** What a confirmed action does. */
  effect: string
  /** Where nothing can be done. */
  none: string
}

export const WORDS: Record<Action, Words> = {
  retry: {
    verb: 'Retry',
    items: ['job', 'jobs'],
    effect: 'They are the failed ones of those that are chosen.',
    none: 'None of them has failed: only failed jobs can be retried.'
  },
  cancel: {
    verb: 'Cancel',
    items: ['job', 'jobs'],
    effect: 'They are the open ones of those that are chosen.',
    none: 'All of them have ended: only open jobs can be cancelled.'
  },
  redeliver: {
    verb: 'Redeliver',
    items: ['delivery', 'deliveries'],
    effect: 'Each is posted once more as a new delivery; receivers drop those whose webhook-id they know. Those that ' +
      'are still pending are left as they are.',
    none: 'None of them can be redelivered: those that are pending are still being tried.'
  }
}

export const itemsText = (action: Action, count: number): string => WORDS[action].items[count === 1 ? 0 : 1]

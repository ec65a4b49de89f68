import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { NewBulk } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { Call } from '../ui/call.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { ErrorView } from '../ui/states.tsx'
import { toastError } from '../ui/toasts.tsx'
import { BULKS, follow } from './bulk-list.tsx'
import { pendingBulks } from './pending.ts'
import { itemsText, WORDS } from './words.ts'

/** What one bulk action takes. */
const MAX_ITEMS = 100_000

/** Counts first, then asks; what is confirmed starts after a few seconds, in which it can be taken back. */
export function ConfirmBulk ({ bulk, onClose, onConfirmed }: {
  bulk: NewBulk
  onClose: () => void
  onConfirmed: () => void
}) {
  const client = useClient()
  const queries = useQueryClient()
  const { action } = bulk
  const { verb, effect, none } = WORDS[action]
  const { data: matched, error, refetch } = useQuery({
    queryKey: ['bulk', 'count', bulk],
    queryFn: ({ signal }) => client.bulk.count(bulk, { signal }),
    gcTime: 0,
    staleTime: 0
  })

  async function start () {
    try {
      const { bulkId } = await client.bulk.start(bulk)
      follow(bulkId)
      await queries.invalidateQueries({ queryKey: BULKS })
    } catch (error) {
      toastError(error)
    }
  }
  function confirm () {
    const title = `${verb} ${formatCount(matched ?? 0)} ${itemsText(action, matched ?? 0)}`
    pendingBulks.add(title, () => { start().catch(() => {}) })
    onConfirmed()
  }
  const isPossible = matched !== undefined && matched > 0 && matched < MAX_ITEMS
  return (
    <Confirm
      isOpen onClose={onClose} onConfirm={confirm} isDangerous={action === 'cancel'} isBusy={!isPossible}
      title={matched === undefined
        ? `${verb} ${itemsText(action, 2)}`
        : `${verb} ${formatCount(matched)}${matched < MAX_ITEMS ? '' : ' or more'} ${itemsText(action, matched)}?`}
      confirm={isPossible ? `${verb} ${formatCount(matched)}` : verb}
      extra={<Call method='POST' path='/bulk' body={bulk} sdk={`await client.bulk.start(${JSON.stringify(bulk)})`} />}
    >
      {error
        ? <ErrorView error={error} onRetry={refetch} />
        : matched === undefined
          ? 'Counting those that match …'
          : matched === 0
            ? none
            : matched < MAX_ITEMS
              ? `${effect} You can stop it on the way; what was done stays done.`
              : 'That is more than one action takes. Choose a shorter time, or another filter.'}
    </Confirm>
  )
}

import { isItemFault } from '@tidings/service-kit'

type Isolation<Item> = {
  /** Called with each item that fails alone; the item is skipped. */
  onBad: (item: Item, err: Error) => Promise<void> | void
  isFault?: (err: unknown) => boolean
}

/**
 * Works on a batch. If one item makes the batch fail, the batch is halved until that item stands alone: one bad item
 * among 200 costs 16 tries and affects no other item. `work` must be repeatable for a part of the batch.
 */
export async function isolate<Item, Result> (
  items: Item[], work: (items: Item[]) => Promise<Result[]>, { onBad, isFault = isItemFault }: Isolation<Item>
): Promise<Result[]> {
  try {
    return await work(items)
  } catch (err) {
    const [only] = items
    if (only === undefined || !isFault(err)) throw err
    if (items.length === 1) {
      await onBad(only, err as Error)
      return []
    }
  }
  const middle = items.length >> 1
  const first = await isolate(items.slice(0, middle), work, { onBad, isFault })
  return [...first, ...await isolate(items.slice(middle), work, { onBad, isFault })]
}

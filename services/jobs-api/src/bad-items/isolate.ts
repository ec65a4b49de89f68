import { isItemFault } from './item-fault.ts'

type Isolation<Item> = {
  /** Gets each item that fails alone; it is skipped. */
  onBad: (item: Item, err: Error) => Promise<void> | void
  isFault?: (err: unknown) => boolean
}

/**
 * Does work on a batch. Where one of its items makes it fail, halves are tried
 * until that one stands alone: one bad item among 200 costs 16 tries, and none
 * of the others. The work must be such that a part of it may be done again.
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

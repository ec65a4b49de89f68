import type { DeliveryList, DeliverySummary } from 'tidings'

/**
 * Puts the newest page of a list into the pages that are loaded: rows change in place, new ones come first, and those
 * that match no longer go. Undefined where rows may lie between the newest page and what is loaded: then everything has
 * to be loaded again.
 */
export function mergeNewest (pages: DeliveryList[], newest: DeliveryList): DeliveryList[] | undefined {
  const [first] = pages
  const top = first?.deliveries[0]
  if (!first || !top) return [newest]
  const isWhole = newest.pagination.next === null
  const fresh = newest.deliveries.filter(({ id }) => id > top.id)
  if (fresh.length === newest.deliveries.length && !isWhole) return undefined

  const current = new Map(newest.deliveries.map(row => [row.id, row]))
  const oldest = isWhole ? 0 : newest.deliveries.at(-1)?.id ?? 0
  const merge = (rows: DeliverySummary[]) => rows.flatMap(row => {
    if (row.id < oldest) return [row]
    const now = current.get(row.id)
    return now ? [sameRow(row, now) ? row : now] : []
  })
  return pages.map((page, index) => {
    const rows = merge(page.deliveries)
    return { ...page, deliveries: index === 0 ? [...fresh, ...rows] : rows }
  })
}

/** Rows that did not change keep their identity, so that they are not drawn again. */
const sameRow = (one: DeliverySummary, other: DeliverySummary) => JSON.stringify(one) === JSON.stringify(other)

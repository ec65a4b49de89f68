import { useCallback, useState } from 'react'
import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import type { DeliveryList, DeliverySummary } from 'tidings'
import { mergeNewest } from './merge-newest.ts'
import { usePace } from './use-pace.ts'

const PAGE = 100
/** More rows are not held: a filter or a time shows older ones. */
export const MAX_ROWS = 10_000
/** Further down than this, one reads: new rows wait until they are asked for. */
const READING_PX = 160

export type ReadPage =
  (at: { cursor?: string, limit: number, signal: AbortSignal }) => Promise<DeliveryList>

export interface DeliveryRows {
  rows: DeliverySummary[]
  /** How many newer ones wait; Infinity where nobody knows. */
  newCount: number
  showNew: () => void
  hasMore: boolean
  /** All that are held are shown, and there are more. */
  isFull: boolean
  loadMore: () => void
  isLoaded: boolean
  error: unknown
  /** The newest page could not be asked for: what is shown is from before. */
  isStale: boolean
  retry: () => void
  /** Asks for the newest page: something has made deliveries. */
  refresh: () => void
}

/** A list of deliveries that changes in place. `key` distinguishes it from other lists. */
export function useDeliveries (key: unknown[], read: ReadPage): DeliveryRows {
  const queries = useQueryClient()
  const queryKey = ['deliveries', ...key]
  /** The newest row when one began to read. */
  const [heldAt, setHeldAt] = useState<number>()
  const [isBehind, setBehind] = useState(false)

  const pages = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => read({ limit: PAGE, ...(pageParam && { cursor: pageParam }), signal }),
    initialPageParam: '',
    getNextPageParam: ({ pagination }: DeliveryList, all) =>
      all.length * PAGE < MAX_ROWS ? pagination.next : undefined,
    staleTime: Infinity,
    gcTime: 0
  })
  const newestKey = ['deliveries-newest', ...key]
  const askNewest = () => { queries.invalidateQueries({ queryKey: newestKey }).catch(() => {}) }
  const { paceOf, expect } = usePace(askNewest)
  const newest = useQuery({
    queryKey: newestKey,
    queryFn: async ({ signal }) => {
      const page = await read({ limit: PAGE, signal })
      const known = queries.getQueryData<InfiniteData<DeliveryList, string>>(queryKey)
      const top = known?.pages[0]?.deliveries[0]?.id
      if (!known) return null
      const isReading = window.scrollY > READING_PX
      const merged = mergeNewest(known.pages, page)
      if (merged) {
        setHeldAt(held => isReading ? held ?? top : undefined)
        queries.setQueryData(queryKey, { ...known, pages: merged })
      } else if (isReading) setBehind(true)
      else await queries.resetQueries({ queryKey })
      return null
    },
    enabled: pages.isSuccess && !isBehind,
    refetchInterval: () => paceOf(pages.data?.pages[0]?.deliveries ?? []),
    staleTime: 0
  })

  const all = pages.data?.pages.flatMap(({ deliveries }) => deliveries) ?? []
  const rows = heldAt === undefined ? all : all.filter(({ id }) => id <= heldAt)
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isFetchNextPageError } = pages
  return {
    rows,
    newCount: isBehind ? Infinity : all.length - rows.length,
    showNew: () => {
      setHeldAt(undefined)
      window.scrollTo({ top: 0 })
      if (isBehind) queries.resetQueries({ queryKey }).catch(() => {})
      setBehind(false)
    },
    hasMore: hasNextPage,
    isFull: !hasNextPage && pages.data?.pages.at(-1)?.pagination.next != null,
    loadMore: useCallback(() => {
      if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) fetchNextPage().catch(() => {})
    }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]),
    isLoaded: pages.data !== undefined,
    error: pages.error,
    isStale: newest.isError,
    retry: () => { pages.refetch().catch(() => {}) },
    refresh: () => {
      expect()
      askNewest()
    }
  }
}

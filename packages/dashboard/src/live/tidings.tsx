import { createContext, useContext, useEffect, useEffectEvent, useSyncExternalStore, type ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'
import type { BulkProgress, Client, Me } from 'tidings'
import type { Live, LiveItem, LiveStatus } from './live.ts'

/** Between two requests for the same thing while nothing pushes. */
const POLL_MS = 5000

interface Tidings {
  client: Client
  live: Live
  /** The user in whose place an operator acts. */
  actingFor: string | undefined
}

const Context = createContext<Tidings | undefined>(undefined)

export function TidingsContext ({ client, live, actingFor, children }: Tidings & { children: ReactNode }) {
  return <Context value={{ client, live, actingFor }}>{children}</Context>
}

/** The client of this page: the only way to the services. */
export function useClient (): Client {
  return useTidings().client
}

/** The user in whose place an operator acts; undefined on pages of one's own. */
export function useActing (): string | undefined {
  return useTidings().actingFor
}

/** The state of the page's one connection. */
export function useLiveStatus (): LiveStatus {
  const { live } = useTidings()
  return useSyncExternalStore(live.onStatus, () => live.status)
}

/** Calls the listener for each event of the user, and for gaps. */
export function useLiveEvents (listener: (item: LiveItem) => void): void {
  const { live } = useTidings()
  const listen = useEffectEvent(listener)
  useEffect(() => live.subscribe(item => listen(item)), [live])
}

/** Calls the listener as bulk actions of the user advance. */
export function useLiveBulks (listener: (progress: BulkProgress) => void): void {
  const { live } = useTidings()
  const listen = useEffectEvent(listener)
  useEffect(() => live.onBulk(progress => listen(progress)), [live])
}

/** For `refetchInterval` of queries: they poll while nothing pushes. */
export function usePolling (): number | false {
  return useLiveStatus().state === 'live' ? false : POLL_MS
}

/** Who is signed in, and what the token may do; undefined until it is known. */
export function useMe (): Me | undefined {
  return useMeQuery().data
}

/** Whether it is known what the token may do, or there is no way to know: then the services decide. */
export function useIsMeKnown (): boolean {
  return !useMeQuery().isPending
}

function useMeQuery () {
  const { client } = useTidings()
  return useQuery({ queryKey: ['me'], queryFn: ({ signal }) => client.me({ signal }), staleTime: 60_000 })
}

function useTidings (): Tidings {
  const tidings = useContext(Context)
  if (tidings) return tidings
  throw new Error('There is no TidingsContext above')
}

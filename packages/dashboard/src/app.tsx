import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createClient, TidingsError } from 'tidings'
import { Router } from 'wouter'
import { pendingBulks } from './bulk/pending.ts'
import { parseExact } from './lib/exact-json.ts'
import { createLive, type Live } from './live/live.ts'
import { TidingsContext, useIsMeKnown } from './live/tidings.tsx'
import { Pages } from './pages.tsx'
import { baseOf, useActingFor } from './session/acting.ts'
import { isEmbedded } from './session/embedding.ts'
import { session, subjectOf } from './session/session.ts'
import { useCan } from './session/use-can.ts'
import { SignIn } from './session/sign-in.tsx'
import { tokenSource } from './session/token-source.ts'
import { Waiting } from './session/waiting.tsx'
import { servicesUrl } from './settings.ts'
import { Announcer } from './shell/announcer.tsx'
import { Shell } from './shell/shell.tsx'
import { listenForShortcuts } from './shell/shortcuts.ts'
import { Toasts } from './ui/toasts.tsx'

export function App () {
  const current = useSyncExternalStore(session.subscribe, session.get)
  const actingFor = useActingFor()
  useEffect(listenForShortcuts, [])
  return (
    <Router base={baseOf(actingFor)}>
      {/* Another user gets another client, and none of what the one before has loaded. */}
      {current
        ? <SignedIn key={JSON.stringify([subjectOf(current.token), actingFor])} actingFor={actingFor} />
        : isEmbedded ? <Waiting /> : <SignIn />}
      <Announcer />
      <Toasts />
    </Router>
  )
}

function SignedIn ({ actingFor }: { actingFor: string | undefined }) {
  const { client, live, queries } = useMemo(() => connect(actingFor), [actingFor])
  useEffect(() => {
    const stop = live.onStatus(() => endIfUnauthorized(live.status.error))
    // A new token may allow more.
    const stopRenewing = session.subscribe(() => { queries.invalidateQueries({ queryKey: ['me'] }).catch(() => {}) })
    return () => {
      stop()
      stopRenewing()
      pendingBulks.clear()
      live.stop()
      client.close()
    }
  }, [client, live, queries])
  return (
    <QueryClientProvider client={queries}>
      <TidingsContext client={client} live={live} actingFor={actingFor}>
        <Connect live={live} />
        <Shell><Pages /></Shell>
      </TidingsContext>
    </QueryClientProvider>
  )
}

/** Without the scope a connection would be refused, again and again. */
function Connect ({ live }: { live: Live }) {
  const isKnown = useIsMeKnown()
  const mayRead = useCan('jobs:read')
  useEffect(() => {
    if (isKnown) live.start(mayRead ? undefined : 'the token lacks the scope jobs:read')
  }, [live, isKnown, mayRead])
  return null
}

function connect (actingFor: string | undefined) {
  const client = createClient({ url: servicesUrl, token: tokenSource, userId: actingFor, parse: parseExact })
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError: endIfUnauthorized }),
    // The client sends again by itself what may succeed.
    defaultOptions: { queries: { retry: false, staleTime: 2000, gcTime: 120_000 }, mutations: { retry: false } }
  })
  return { client, live: createLive(client), queries }
}

function endIfUnauthorized (error: unknown) {
  if (!(error instanceof TidingsError) || error.code !== 'unauthorized') return
  session.end(error.problem?.detail ?? error.message)
}

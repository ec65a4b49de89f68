import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createClient, TidingsError } from 'tidings'
import { Router } from 'wouter'
import { parseExact } from './lib/exact-json.ts'
import { createLive } from './live/live.ts'
import { TidingsContext } from './live/tidings.tsx'
import { Pages } from './pages.tsx'
import { isEmbedded } from './session/embedding.ts'
import { session, subjectOf } from './session/session.ts'
import { SignIn } from './session/sign-in.tsx'
import { tokenSource } from './session/token-source.ts'
import { Waiting } from './session/waiting.tsx'
import { basePath, servicesUrl } from './settings.ts'
import { Announcer } from './shell/announcer.tsx'
import { Shell } from './shell/shell.tsx'
import { listenForShortcuts } from './shell/shortcuts.ts'
import { Toasts } from './ui/toasts.tsx'

export function App () {
  const current = useSyncExternalStore(session.subscribe, session.get)
  useEffect(listenForShortcuts, [])
  return (
    <Router base={basePath}>
      {/* Another user gets another client, and none of what the one before has loaded. */}
      {current ? <SignedIn key={subjectOf(current.token) ?? 'unknown'} /> : isEmbedded ? <Waiting /> : <SignIn />}
      <Announcer />
      <Toasts />
    </Router>
  )
}

function SignedIn () {
  const { client, live, queries } = useMemo(connect, [])
  useEffect(() => {
    const stop = live.onStatus(() => endIfUnauthorized(live.status.error))
    return () => {
      stop()
      live.stop()
      client.close()
    }
  }, [client, live])
  return (
    <QueryClientProvider client={queries}>
      <TidingsContext client={client} live={live}>
        <Shell><Pages /></Shell>
      </TidingsContext>
    </QueryClientProvider>
  )
}

function connect () {
  const client = createClient({ url: servicesUrl, token: tokenSource, parse: parseExact })
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

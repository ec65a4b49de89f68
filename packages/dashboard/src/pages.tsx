import { Component, Suspense, useEffect, type ReactNode } from 'react'
import { matchRoute, Redirect, Route, Switch, useLocation, useRouter } from 'wouter'
import { Compass } from 'lucide-react'
import { useIsMeKnown } from './live/tidings.tsx'
import { NotAllowed } from './session/not-allowed.tsx'
import { PageHead } from './shell/page.tsx'
import { Empty, ErrorView, Loading } from './ui/states.tsx'
import { useRoutes } from './visible-routes.ts'

/** The page of the current address. Nothing is asked for before it is known that the token allows it. */
export function Pages () {
  const [location] = useLocation()
  const { parser } = useRouter()
  const isKnown = useIsMeKnown()
  const routes = useRoutes()
  const named = routes.filter(({ nav }) => nav)
  const first = named.find(({ isAllowed }) => isAllowed)
  // Its code comes meanwhile; a failure shows when it is drawn.
  useEffect(() => {
    if (isKnown) return
    const coming = routes.find(({ path }) => matchRoute(parser, path, location)[0]) ?? named[0]
    coming?.load().catch(() => {})
  }, [isKnown, location])
  if (!isKnown) return <Loading />
  return (
    <Boundary key={location}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {routes.map(({ path, page: Page, isAllowed, scope, title }) => (
            <Route key={path} path={path}>
              {params => isAllowed || !scope
                ? <Page key={JSON.stringify(params)} params={params as Record<string, string>} />
                : <NotAllowed title={title} scope={scope} />}
            </Route>
          ))}
          <Route path='/'>
            {first
              ? <Redirect to={first.path} replace />
              : named[0]?.scope ? <NotAllowed title={named[0].title} scope={named[0].scope} /> : <NotFound />}
          </Route>
          <Route><NotFound /></Route>
        </Switch>
      </Suspense>
    </Boundary>
  )
}

function NotFound () {
  return (
    <>
      <PageHead title='No such page' />
      <Empty title='There is no page at this address' icon={<Compass size={22} />}>
        The link may be old or cut short. What there is stands in the navigation.
      </Empty>
    </>
  )
}

/** Keeps the rest of the page when one part of it fails, and when code cannot be loaded. */
class Boundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {}

  static getDerivedStateFromError (error: unknown) {
    return { error }
  }

  override render () {
    if (this.state.error === undefined) return this.props.children
    return <ErrorView error={this.state.error} onRetry={() => { location.reload() }} />
  }
}

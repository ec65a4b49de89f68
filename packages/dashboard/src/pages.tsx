import { Component, Suspense, type ReactNode } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { Compass } from 'lucide-react'
import { PageHead } from './shell/page.tsx'
import { Empty, ErrorView, Loading } from './ui/states.tsx'
import { useVisibleRoutes } from './visible-routes.ts'

/** The page of the current address. */
export function Pages () {
  const [location] = useLocation()
  const routes = useVisibleRoutes()
  const first = routes.find(({ nav }) => nav)
  return (
    <Boundary key={location}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {routes.map(({ path, page: Page }) => (
            <Route key={path} path={path}>
              {params => <Page key={JSON.stringify(params)} params={params as Record<string, string>} />}
            </Route>
          ))}
          <Route path='/'><Redirect to={first?.path ?? '/jobs'} replace /></Route>
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

import { lazy, type ComponentType, type LazyExoticComponent } from 'react'
import { ListChecks, Send, Users, Webhook } from 'lucide-react'
import type { Me } from 'tidings'

type Scope = Me['scopes'][number]

/** What a page gets: the parts of its path, decoded. */
export interface PageProps { params: Record<string, string> }

export interface PageRoute {
  /** Below the base of the dashboard: `/jobs/:id`. */
  path: string
  page: LazyExoticComponent<ComponentType<PageProps>>
  /** In the navigation; pages without it are reached from others. */
  nav?: { label: string, icon: ComponentType<{ size?: number }>, /** Second key after `g`. */ key: string }
  /** Without this scope the page is not offered. The services enforce it in any case. */
  scope?: Scope
}

/** All pages. The first match counts. A page's code is loaded when it is first shown. */
export const routes: PageRoute[] = [
  {
    path: '/jobs',
    page: lazy(() => import('./jobs/jobs-page.tsx')),
    nav: { label: 'Jobs', icon: ListChecks, key: 'j' },
    scope: 'jobs:read'
  },
  { path: '/jobs/:id', page: lazy(() => import('./jobs/job-page.tsx')), scope: 'jobs:read' },
  {
    path: '/webhooks',
    page: lazy(() => import('./webhooks/webhooks-page.tsx')),
    nav: { label: 'Webhooks', icon: Webhook, key: 'w' },
    scope: 'webhooks:read'
  },
  { path: '/webhooks/new', page: lazy(() => import('./webhooks/new-webhook-page.tsx')), scope: 'webhooks:write' },
  { path: '/webhooks/:id/:part?', page: lazy(() => import('./webhooks/webhook-page.tsx')), scope: 'webhooks:read' },
  {
    path: '/deliveries',
    page: lazy(() => import('./deliveries/deliveries-page.tsx')),
    nav: { label: 'Deliveries', icon: Send, key: 'd' },
    scope: 'webhooks:read'
  },
  { path: '/deliveries/:id', page: lazy(() => import('./deliveries/delivery-page.tsx')), scope: 'webhooks:read' },
  {
    path: '/operators',
    page: lazy(() => import('./operators/operators-page.tsx')),
    nav: { label: 'All users', icon: Users, key: 'u' },
    scope: 'operator:read'
  }
]
